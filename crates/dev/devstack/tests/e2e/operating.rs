//! Recurring work that the platform does by itself.

use devstack::Stack;
use kit_pg::bootstrap::open;
use testkit::eventually;
use testkit::schema::count;

#[tokio::test]
async fn the_scheduler_has_every_service_forget_what_is_old() {
    let stack = Stack::start().await.unwrap();
    for _ in 0..2 {
        stack.root().await.unwrap();
    }
    let auth = open(stack.db.auth.admin_url()).await.unwrap();
    let schema = &stack.db.auth.schema;
    let age = format!(
        "UPDATE {schema}.sessions SET revoked_at = now() - interval '31 days' \
         WHERE id = (SELECT id FROM {schema}.sessions ORDER BY auth_time LIMIT 1)"
    );
    assert_eq!(auth.execute(&age, &[]).await.unwrap(), 1);
    let scheduler = open(stack.db.scheduler.admin_url()).await.unwrap();
    let schema = &stack.db.scheduler.schema;
    scheduler.batch_execute(&format!("UPDATE {schema}.jobs SET next_run_at = now()")).await.unwrap();
    eventually("the old session is gone, with its tokens", || async {
        let gone = count(&stack.db.auth, "sessions").await.unwrap() == 1
            && count(&stack.db.auth, "refresh_tokens").await.unwrap() == 1;
        gone.then_some(())
    })
    .await;
    eventually("every job ran well and is due one interval later", || async {
        let good = "jobs j WHERE next_run_at > now() + interval '1 second' * (every_secs - 60) \
                    AND EXISTS (SELECT FROM $schema.runs r WHERE r.job = j.name AND r.ok)";
        let jobs = count(&stack.db.scheduler, "jobs").await.unwrap();
        (count(&stack.db.scheduler, &good.replace("$schema", schema)).await.unwrap() == jobs && jobs == 8).then_some(())
    })
    .await;
    stack.stop().await.unwrap();
}
