//! The service starts before its database does.

use kit_pg::{PgConfig, Pool, migrate};
use scheduler_service::MIGRATIONS;
use testkit::{FaultyLink, TestDb, eventually};

#[tokio::test]
async fn a_service_that_starts_before_its_database_waits_for_it() {
    let db = TestDb::new("scheduler", MIGRATIONS).await.unwrap();
    let mut url = url::Url::parse(&db.url().unwrap()).unwrap();
    let link = FaultyLink::to(format!("127.0.0.1:{}", url.port().unwrap())).await.unwrap();
    link.refuse();
    url.set_port(Some(link.addr().port())).unwrap();
    let pool = Pool::new(&PgConfig::of_url(url.as_str(), "scheduler"), &[]);
    let waiting = tokio::spawn(async move { migrate::require_current(&pool, "scheduler-service", &MIGRATIONS).await });
    eventually("the service has tried three times", || async { (link.accepted() >= 3).then_some(()) }).await;
    link.mend();
    waiting.await.unwrap().unwrap();
}
