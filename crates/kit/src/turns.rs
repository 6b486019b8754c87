//! One at a time for each key, within this process. Requests that would wait for one row's lock in the database wait
//! here instead, where they hold no connection.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::Error;

/// The most requests that wait for one key.
const MAX_WAITING: usize = 500;

/// The keys that somebody works on. Clones share them.
#[derive(Clone, Debug)]
pub struct Turns<K: Eq + Hash>(Arc<Mutex<HashMap<K, Arc<Semaphore>>>>);

impl<K: Eq + Hash> Default for Turns<K> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

/// The turn of one key; the next one has it when this is dropped.
pub struct Turn<K: Eq + Hash> {
    permit: Option<OwnedSemaphorePermit>,
    key: K,
    turns: Turns<K>,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Waits for the turn of a key.
    ///
    /// # Errors
    /// `Unavailable` when too many wait for the key already.
    pub async fn of(&self, key: &K) -> Result<Turn<K>, Error> {
        let semaphore = {
            let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let semaphore = keys.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone();
            if Arc::strong_count(&semaphore) > MAX_WAITING {
                return Err(Error::unavailable(anyhow::anyhow!("too many requests wait for one object")));
            }
            semaphore
        };
        // Made before the wait, so that a request that is given up while it waits leaves nothing behind.
        let mut turn = Turn { permit: None, key: key.clone(), turns: self.clone() };
        turn.permit = semaphore.acquire_owned().await.ok();
        Ok(turn)
    }
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// The turn of a key when nobody has it now.
    pub fn now(&self, key: &K) -> Option<Turn<K>> {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let semaphore = keys.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone();
        let permit = semaphore.try_acquire_owned().ok()?;
        Some(Turn { permit: Some(permit), key: key.clone(), turns: self.clone() })
    }
}

impl<K: Eq + Hash> Drop for Turn<K> {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut keys = self.turns.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only the map has it: nobody waits and nobody works.
        if keys.get(&self.key).is_some_and(|semaphore| Arc::strong_count(semaphore) == 1) {
            keys.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_has_the_turn_of_a_key_and_nothing_is_kept_afterwards() {
        let turns = Turns::default();
        let first = turns.of(&1).await.unwrap();
        let other = turns.of(&2).await.unwrap();
        let waiting = tokio::time::timeout(std::time::Duration::from_millis(20), turns.of(&1)).await;
        assert!(waiting.is_err(), "the first still has it");
        drop((first, other));
        drop(turns.of(&1).await.unwrap());
        assert!(turns.0.lock().unwrap().is_empty());
    }
}
