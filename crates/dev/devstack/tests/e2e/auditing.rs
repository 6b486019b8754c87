//! The audit log answers who was attacked, by whom and from where.

use devstack::World;
use kit_pg::bootstrap::open;
use serde_json::json;
use testkit::eventually;
use testkit::schema::count;

#[tokio::test]
async fn sf_31_and_lg_01_and_lg_04_what_every_service_changes_is_in_the_audit_log_with_its_actor_and_target() {
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

#[tokio::test]
async fn an_admin_reads_the_audit_log_of_the_own_tenant_filters_it_and_takes_it_away_as_csv() {
    let world = World::start().await;
    let (own, other) = (world.tenant("Alpha").await, world.tenant("Beta").await);
    let admin = world.admin(&own).await;
    world.admin(&other).await;
    let path = format!("/tenant/{}/auth/login/", own.slug);
    let wrong = json!({ "email": admin.email, "password": "wrong horse battery" });
    world.client().post(&path, wrong).await.unwrap().expect(401).unwrap();
    let found = async |query: &str| admin.client.get(&format!("/audit/{query}")).await.unwrap().expect(200).unwrap();
    let failed = found("?action=authn_login_fail").await;
    assert_eq!((failed.at("/count"), failed.at("/data/0/target_id")), (&json!(1), &json!(admin.id)));
    assert_eq!(failed.at("/data/0/service"), &json!("auth"));
    let own_acts = found(&format!("?actor={}&action=authn_login_success", admin.id)).await;
    assert_eq!(own_acts.at("/count"), &json!(1));
    assert_eq!(found("?since=2100-01-01T00:00:00Z").await.at("/count"), &json!(0));
    assert_eq!(found("?until=2000-01-01T00:00:00Z").await.at("/count"), &json!(0));
    for bad in ["?since=yesterday", "?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z", "?format=xml"] {
        assert_eq!(admin.client.get(&format!("/audit/{bad}")).await.unwrap().status, 400, "{bad}");
    }
    let file = found("?format=csv&action=authn_login_fail").await;
    assert_eq!(file.headers.get("content-type").unwrap(), "text/csv; charset=utf-8");
    let lines: Vec<&str> = file.text.lines().collect();
    assert!(lines.len() == 2 && lines[0].starts_with("id,created_at,service,action,result"), "{}", file.text);
    let of_platform = world.root.client.get("/audit/?action=tenant_create").await.unwrap().expect(200).unwrap();
    assert_eq!(of_platform.at("/count"), &json!(2));
    assert_eq!(world.root.client.get("/audit/?action=authn_login_fail").await.unwrap().at("/count"), &json!(0));
    world.stop().await;
}

#[tokio::test]
async fn a_super_admin_sees_the_own_acts_on_admins_and_nothing_else_of_tenants() {
    let world = World::start().await;
    let own = world.tenant("Alpha").await;
    let (admin, anna) = (world.admin(&own).await, world.listener(&own, "anna").await);
    admin.client.delete(&format!("/users/{}/", anna.id)).await.unwrap().expect(204).unwrap();
    world.root.client.delete(&format!("/users/{}/", admin.id)).await.unwrap().expect(204).unwrap();
    let deleted = world.root.client.get("/audit/?action=user_delete").await.unwrap().expect(200).unwrap();
    assert_eq!((deleted.at("/count"), deleted.at("/data/0/target_id")), (&json!(1), &json!(admin.id)));
    let created = world.root.client.get("/audit/?action=superuser_create").await.unwrap().expect(200).unwrap();
    assert_eq!(created.at("/count"), &json!(1), "what an operator did is there too");
    world.stop().await;
}
