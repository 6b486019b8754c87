use std::path::Path;
use std::time::Duration;

use devstack::journey::{Places, SongFile, Watcher, play};
use devstack::{ROOT, Service, Stack};

fn places(stack: &Stack) -> Places {
    Places {
        gateway: stack.url.clone(),
        mailbox: stack.mailbox_url.clone(),
        root_email: ROOT.0.to_owned(),
        root_password: ROOT.1.to_owned(),
    }
}

fn project() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../.."))
}

#[derive(Default)]
struct Quiet(Vec<String>);

impl Watcher for Quiet {
    fn step(&mut self, name: &str, status: u16, _took: Duration) {
        self.0.push(format!("{status} {name}"));
    }

    async fn between(&mut self, _name: &str) -> anyhow::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_journey_works_from_the_first_sign_in_to_the_last_refused_token() {
    let stack = Stack::start().await.unwrap();
    let mut watcher = Quiet::default();
    let outcome = play(&places(&stack), &SongFile::choose(project()), &mut watcher).await;
    outcome.unwrap_or_else(|error| panic!("{error:#}\nafter {:#?}", watcher.0));
    stack.stop().await.unwrap();
}

#[tokio::test]
async fn the_journey_works_with_the_projects_own_list() {
    let stack = Stack::start().await.unwrap();
    let own = SongFile::choose(Path::new("/nonexistent"));
    let own = SongFile { path: project().join("deploy/demo/songs.csv"), ..own };
    play(&places(&stack), &own, &mut Quiet::default()).await.unwrap();
    stack.stop().await.unwrap();
}

/// Kills one service before every third step and starts it again before the next; flushes Redis in the middle.
struct Breaker {
    stack: Stack,
    steps: usize,
    victim: Service,
}

impl Watcher for Breaker {
    fn step(&mut self, _name: &str, _status: u16, _took: Duration) {}

    async fn between(&mut self, _name: &str) -> anyhow::Result<()> {
        self.steps += 1;
        if self.steps == 12 {
            self.stack.flush_redis().await?;
        }
        if self.steps.is_multiple_of(3) {
            self.stack.restart(self.victim).await?;
        }
        Ok(())
    }
}

async fn survives(victim: Service) {
    let stack = Stack::start().await.unwrap();
    let places = places(&stack);
    let mut breaker = Breaker { stack, steps: 0, victim };
    play(&places, &SongFile::choose(project()), &mut breaker).await.unwrap();
    breaker.stack.stop().await.unwrap();
}

#[tokio::test]
async fn the_journey_survives_auth_being_killed_again_and_again() {
    survives(Service::Auth).await;
}

#[tokio::test]
async fn the_journey_survives_songlist_being_killed_again_and_again() {
    survives(Service::Songlist).await;
}

#[tokio::test]
async fn the_journey_survives_payments_being_killed_again_and_again() {
    survives(Service::Payments).await;
}
