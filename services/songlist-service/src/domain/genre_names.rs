//! Genres by id, kept for [`AGE`]: every page shows names of genres, and there are few of them.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kit::Error;
use kit_pg::{Conn, Pool, Scope};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::store::genres;

/// A new or renamed genre is seen after this at the latest.
const AGE: Duration = Duration::from_secs(2);

/// A genre as lists need it.
#[derive(Clone, Debug)]
pub(crate) struct GenreName {
    pub name: String,
    pub name_norm: String,
    pub is_live: bool,
}

/// The genres of one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(HashMap<Uuid, GenreName>);

impl Names {
    /// The name of a genre; empty when there is no such genre.
    pub(crate) fn of(&self, id: Uuid) -> String {
        self.0.get(&id).map(|genre| genre.name.clone()).unwrap_or_default()
    }

    /// Live genres whose compared name holds one of these parts.
    pub(crate) fn ids_named(&self, parts: &[String]) -> Vec<Uuid> {
        let wanted = |genre: &GenreName| genre.is_live && parts.iter().any(|part| genre.name_norm.contains(part));
        self.0.iter().filter(|(_, genre)| wanted(genre)).map(|(id, _)| *id).collect()
    }
}

/// The kept genres.
#[derive(Default)]
pub(crate) struct GenreNames {
    kept: RwLock<Option<(Instant, Arc<Names>)>>,
    reading: Mutex<()>,
}

impl GenreNames {
    /// The genres, not older than [`AGE`]; one request at a time reads them again.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub(crate) async fn current(&self, pg: &Pool) -> Result<Arc<Names>, Error> {
        if let Some(names) = self.young() {
            return Ok(names);
        }
        let _reading = self.reading.lock().await;
        if let Some(names) = self.young() {
            return Ok(names);
        }
        let rows = pg.read(Scope::Worker, async |conn: &Conn| genres::names(conn).await).await?;
        let named = |(id, name, name_norm, is_live)| (id, GenreName { name, name_norm, is_live });
        let names = Arc::new(Names(rows.into_iter().map(named).collect()));
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), names.clone()));
        Ok(names)
    }

    fn young(&self) -> Option<Arc<Names>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(at, _)| at.elapsed() < AGE).map(|(_, names)| names.clone())
    }
}
