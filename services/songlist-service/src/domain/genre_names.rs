//! A cache of all genres by id, renewed after [`AGE`]: every page shows names of genres, and there are few genres.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use kit::Error;
use kit_pg::{Conn, Pool, Scope};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::store::genres;

/// The longest time until a renamed genre is shown, and until a new one is found by its name.
const AGE: Duration = Duration::from_secs(2);

/// The fields of a genre that lists need.
#[derive(Clone, Debug)]
pub(crate) struct GenreName {
    pub name: String,
    pub name_norm: String,
    pub is_live: bool,
}

/// All genres as they were read at one time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names(HashMap<Uuid, GenreName>);

impl Names {
    /// The name of a genre; empty when there is no such genre.
    pub(crate) fn of(&self, id: Uuid) -> String {
        self.0.get(&id).map(|genre| genre.name.clone()).unwrap_or_default()
    }

    /// Live genres whose compared name contains one of these parts.
    pub(crate) fn ids_named(&self, parts: &[String]) -> Vec<Uuid> {
        let wanted = |genre: &GenreName| genre.is_live && parts.iter().any(|part| genre.name_norm.contains(part));
        self.0.iter().filter(|(_, genre)| wanted(genre)).map(|(id, _)| *id).collect()
    }
}

/// The cached genres.
#[derive(Default)]
pub(crate) struct GenreNames {
    kept: RwLock<Option<(Instant, Arc<Names>)>>,
    reading: Mutex<()>,
}

impl GenreNames {
    /// The genres, read about [`AGE`] ago at most; one request reads them again while the others go on with the old ones.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub(crate) async fn current(&self, pg: &Pool) -> Result<Arc<Names>, Error> {
        if let Some(names) = self.young() {
            return Ok(names);
        }
        let _reading = match (self.reading.try_lock(), self.kept()) {
            (Ok(reading), _) => reading,
            (Err(_), Some(old)) => return Ok(old),
            (Err(_), None) => self.reading.lock().await,
        };
        match self.young() {
            Some(names) => Ok(names),
            None => self.read(pg).await,
        }
    }

    /// The names for rows that were read: when one has a genre that `names` does not know yet, a newer version of it.
    ///
    /// # Errors
    /// `Unavailable` when the database cannot be reached.
    pub(crate) async fn knowing(
        &self,
        pg: &Pool,
        names: Arc<Names>,
        mut ids: impl Iterator<Item = Uuid>,
    ) -> Result<Arc<Names>, Error> {
        if ids.all(|id| names.0.contains_key(&id)) { Ok(names) } else { self.read(pg).await }
    }

    async fn read(&self, pg: &Pool) -> Result<Arc<Names>, Error> {
        let rows = pg.read(Scope::Worker, async |conn: &Conn| genres::names(conn).await).await?;
        let named = |(id, name, name_norm, is_live)| (id, GenreName { name, name_norm, is_live });
        let names = Arc::new(Names(rows.into_iter().map(named).collect()));
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), names.clone()));
        Ok(names)
    }

    /// Makes the next request read the genres again.
    pub(crate) fn forget(&self) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn kept(&self) -> Option<Arc<Names>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().map(|(_, names)| names.clone())
    }

    fn young(&self) -> Option<Arc<Names>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        kept.as_ref().filter(|(at, _)| at.elapsed() < AGE).map(|(_, names)| names.clone())
    }
}
