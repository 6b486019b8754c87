//! Faults for tests: a service killed as by SIGKILL, Redis flushed. Network links that break are `testkit::FaultyLink`.

use std::time::Duration;

use sandbox::front::NOTICED;

use crate::plan::Service;
use crate::stack::Stack;

impl Stack {
    /// Stops a service as SIGKILL would: no request is finished, every connection breaks.
    pub fn kill(&mut self, service: Service) {
        for (_, _, running) in self.running.iter_mut().filter(|(name, _, _)| *name == service) {
            running.kill();
        }
    }

    /// Stops one replica as SIGKILL would.
    pub fn kill_replica(&mut self, service: Service, replica: usize) {
        for (_, _, running) in self.running.iter_mut().filter(|(name, n, _)| (*name, *n) == (service, replica)) {
            running.kill();
        }
    }

    /// Stops one replica as SIGTERM does, with a lame-duck time for gateways, and returns when it has ended.
    pub async fn stop_replica(&mut self, service: Service, replica: usize) {
        self.leave(service, replica, if service == Service::Gateway { NOTICED } else { Duration::ZERO }).await;
    }

    /// The same without a lame-duck time.
    pub async fn end_replica(&mut self, service: Service, replica: usize) {
        self.leave(service, replica, Duration::ZERO).await;
    }

    async fn leave(&mut self, service: Service, replica: usize, lame_duck: Duration) {
        for (_, _, running) in self.running.iter_mut().filter(|(name, n, _)| (*name, *n) == (service, replica)) {
            running.leave(lame_duck).await;
            running.kill();
        }
    }

    /// Starts a killed service again at the same address.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart(&mut self, service: Service) -> anyhow::Result<()> {
        self.restart_replica(service, 0).await
    }

    /// Starts one replica again at the same address.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn restart_replica(&mut self, service: Service, replica: usize) -> anyhow::Result<()> {
        self.kill_replica(service, replica);
        self.running.retain(|(name, n, _)| (*name, *n) != (service, replica));
        // The threads of a killed listener take a moment to close its port.
        for _ in 0..100 {
            match self.plan.start(service, replica, &self.db).await {
                Err(error) if format!("{error:#}").contains("cannot listen") => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                started => {
                    self.running.push((service, replica, started?));
                    return Ok(());
                }
            }
        }
        anyhow::bail!("{service:?} does not get its port back")
    }

    /// Deletes all keys of this stack in Redis, as FLUSHALL would.
    ///
    /// # Errors
    /// When Redis does not answer.
    pub async fn flush_redis(&self) -> anyhow::Result<()> {
        let redis = kit_redis::Redis::new(&self.redis)?;
        redis.forget_all().await.map_err(|_down| anyhow::anyhow!("Redis does not answer"))
    }
}
