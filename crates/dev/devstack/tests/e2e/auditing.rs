//! The audit log answers who was attacked, by whom and from where.

use devstack::World;
use kit_pg::bootstrap::open;
use serde_json::json;
use testkit::eventually;
use testkit::schema::count;

#[tokio::test]
async fn sf_31_and_lg_04_what_every_service_changes_is_in_the_audit_log_with_its_actor_and_target() {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    own.admin.client.patch(&format!("/tenant/songs/{}/", own.link), json!({ "is_active": false })).await.unwrap();
    let (auth, songlist) = (&world.stack.db.auth, &world.stack.db.songlist);
    for (action, actor, target) in [
        ("song_create", &own.admin.id, &own.song),
        ("tenant_song_withdraw", &own.admin.id, &own.link),
        ("genre_create", &world.root.id, &own.genre),
        ("payment_link_create", &own.admin.id, &own.payment),
    ] {
        let row = format!(
            "audit_events WHERE action = '{action}' AND actor_id = '{actor}' AND target_id = '{target}' \
             AND client_net = '127.0.0.0/24'"
        );
        eventually(action, || async { (count(auth, &row).await.unwrap() == 1).then_some(()) }).await;
    }
    let activated = format!("audit_events WHERE action = 'payment_activated' AND target_id = '{}'", own.payment);
    eventually("the payment", || async { (count(auth, &activated).await.unwrap() == 1).then_some(()) }).await;
    let path = format!("/tenant/{}/auth/login/", own.tenant.slug);
    let wrong = json!({ "email": own.listener.email, "password": "wrong horse battery" });
    assert_eq!(world.client().post(&path, wrong).await.unwrap().status, 401);
    let attacked = format!("audit_events WHERE action = 'authn_login_fail' AND target_id = '{}'", own.listener.id);
    assert_eq!(count(auth, &attacked).await.unwrap(), 1);
    // Append-only for the service that writes it.
    let service = open(&songlist.url().unwrap()).await.unwrap();
    for statement in ["UPDATE audit_events SET result = ''", "DELETE FROM audit_events"] {
        let refused = service.batch_execute(statement).await.unwrap_err();
        assert_eq!(refused.code().map(|code| code.code()), Some("42501"), "{statement}");
    }
    world.stop().await;
}
