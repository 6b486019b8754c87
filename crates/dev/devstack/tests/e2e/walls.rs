//! Tenants are strictly isolated by three walls: types, predicates of queries, and policies of the database. Every route of
//! the policy table is walked with every actor and object: with all walls, without the predicates, without the policies;
//! and without both, which shows that the walk finds what leaks.

use devstack::world::FullTenant;
use devstack::{Person, Reply, World};
use gateway::{Access, Body, Rule, rules};
use kit::caller::Role;
use reqwest::Method;
use serde_json::{Value, json};
use testkit::schema::tables;

/// The ids of a tenant's objects for the parameters of a route. A route that is missing here fails the test.
fn objects(rule: &Rule, other: &FullTenant, role: Role) -> Option<Vec<(&'static str, String)>> {
    let id = |id: &str| Some(vec![("{id}", id.to_owned())]);
    match rule.path {
        // A SUPER_ADMIN may read every tenant, every genre and the ADMINs, but neither LISTENERs nor TENANT songs.
        "/users/me/sessions/{id}/" => id(&other.session),
        path if path.starts_with("/users/{id}/") => id(&other.listener.id),
        "/tenants/{id}/" | "/tenants/{id}/activate/" | "/tenants/{id}/deactivate/" if role == Role::SuperAdmin => {
            id(&other.playlist)
        }
        "/tenants/{id}/" => id(&other.tenant.id),
        "/genres/{id}/" => id(&other.playlist),
        "/songs/{id}/" | "/songs/{id}/artwork/" => id(&other.song),
        "/tenant/songs/{id}/" => id(&other.link),
        "/playlists/{id}/"
        | "/playlists/{id}/songs/"
        | "/playlists/{id}/songs/bulk-delete/"
        | "/playlists/{id}/export/"
        | "/playlists/{id}/songs/order/" => id(&other.playlist),
        "/playlists/{id}/songs/{tenant_song_id}/" => {
            Some(vec![("{id}", other.playlist.clone()), ("{tenant_song_id}", other.link.clone())])
        }
        "/song-requests/{id}/" | "/song-requests/{id}/review/" | "/song-requests/{id}/fulfill/" => id(&other.request),
        "/payments/{id}/" => id(&other.payment),
        // A SUPER_ADMIN refunds the payments of every tenant.
        "/payments/{id}/refund/" => id(&other.playlist),
        _ => None,
    }
}

/// A path with its parameters filled in.
fn concrete(rule: &Rule, values: &[(&'static str, String)]) -> String {
    values.iter().fold(rule.path.to_owned(), |path, (name, value)| path.replace(name, value))
}

async fn call(person: Option<&Person>, world: &World, rule: &Rule, path: &str) -> Reply {
    let client = person.map_or_else(|| world.client(), |person| person.client.clone());
    let method = Method::from_bytes(rule.method.name().as_bytes()).unwrap();
    let request = client.request(method, path);
    let request = match rule.body {
        Body::File(_, kinds) => request.header("content-type", *kinds.first().unwrap()).body("no image"),
        _ if rule.method.name() == "GET" => request,
        _ => request.json(&json!({})),
    };
    client.send(request).await.unwrap()
}

/// The body without the request id, the only part that may differ.
pub(crate) fn bare(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    if let Some(object) = body.as_object_mut() {
        object.remove("request_id");
    }
    body
}

/// What is walked, and what got through.
struct Walk<'a> {
    world: &'a World,
    own: &'a FullTenant,
    /// Another LISTENER of the same tenant.
    neighbour: &'a Person,
    other: &'a FullTenant,
    /// A tenant whose objects are all deleted.
    deleted: &'a FullTenant,
    /// Tokens that were valid once.
    dead: Vec<(&'static str, Person)>,
    leaks: Vec<String>,
}

impl Walk<'_> {
    async fn rule(&mut self, rule: &Rule) {
        let any = [("{id}", self.own.playlist.clone()), ("{tenant_song_id}", self.own.link.clone())];
        let path = concrete(rule, &any);
        self.expect(rule, None, "anonymous", &path, 401, "not_authenticated").await;
        for (what, person) in self.dead.clone() {
            self.expect(rule, Some(&person), what, &path, 401, "token_not_valid").await;
        }
        let (own, deleted, root) = (self.own, self.deleted, &self.world.root);
        let roles = [(Role::Listener, &own.listener), (Role::Admin, &own.admin), (Role::SuperAdmin, root)];
        for (role, person) in roles {
            if !rule.allows(role) {
                self.expect(rule, Some(person), role.name(), &path, 403, "permission_denied").await;
            } else if rule.path.contains('{') {
                self.unreachable(rule, role, person, self.other, "another tenant's").await;
            }
        }
        let is_deletable = ["/songs/{", "/tenant/songs/{", "/playlists/{", "/song-requests/{", "/users/{"];
        let restores = rule.path == "/users/{id}/restore/";
        if !restores && is_deletable.iter().any(|path| rule.path.starts_with(path)) && rule.allows(Role::Admin) {
            self.unreachable(rule, Role::Admin, &deleted.admin, deleted, "a deleted").await;
        }
        let is_own = ["/playlists/{", "/song-requests/{", "/users/me/sessions/{"];
        if is_own.iter().any(|path| rule.path.starts_with(path)) && rule.allows(Role::Listener) {
            self.unreachable(rule, Role::Listener, self.neighbour, own, "another listener's").await;
        }
    }

    async fn expect(&mut self, rule: &Rule, person: Option<&Person>, actor: &str, path: &str, status: u16, code: &str) {
        let answer = call(person, self.world, rule, path).await;
        if (answer.status, answer.at("/code")) != (status, &json!(code)) {
            self.leaks.push(format!("{} {path} as {actor}: {} {}", rule.method.name(), answer.status, answer.text));
        }
    }

    /// The answer is 404, and the same as for an id that nobody has and for one that is malformed (EN-07).
    async fn unreachable(&mut self, rule: &Rule, role: Role, person: &Person, whose: &FullTenant, which: &str) {
        let what = format!("{} {} of {which} as {role:?}", rule.method.name(), rule.path);
        let ids = objects(rule, whose, role).unwrap_or_else(|| panic!("no row for {what}"));
        let with = |value: &str| ids.iter().map(|(name, _)| (*name, value.to_owned())).collect::<Vec<_>>();
        let theirs = call(Some(person), self.world, rule, &concrete(rule, &ids)).await;
        if theirs.status != 404 || theirs.text.contains("Beta") {
            self.leaks.push(format!("{what}: {} {}", theirs.status, theirs.text));
            return;
        }
        for id in [kit::ids::random().to_string(), "no-such-id".to_owned()] {
            let absent = call(Some(person), self.world, rule, &concrete(rule, &with(&id))).await;
            if bare(&theirs) != bare(&absent) {
                self.leaks.push(format!("{what}: {} is told apart from {}", theirs.text, absent.text));
            }
        }
    }
}

impl Walk<'_> {
    /// Reads every list as people of one tenant: nothing of the others is in it, not even an id.
    async fn lists(&mut self) {
        let foreign: Vec<String> = [self.other, self.deleted]
            .into_iter()
            .flat_map(|full| {
                [&full.tenant.id, &full.admin.id, &full.listener.id, &full.link, &full.playlist, &full.payment]
            })
            .cloned()
            .collect();
        let readable = rules().filter(|rule| rule.method.name() == "GET" && !rule.path.contains('{'));
        for rule in readable.filter(|rule| matches!(rule.access, Access::Roles(_))) {
            for person in [&self.own.admin, &self.own.listener] {
                let reply = call(Some(person), self.world, rule, rule.path).await;
                if let Some(id) = foreign.iter().find(|id| reply.text.contains(id.as_str())) {
                    self.leaks.push(format!("{}: {id} is in {}", rule.path, reply.text));
                }
            }
        }
    }
}

/// Takes the policies of the database away, as a wrong migration would.
async fn switch_off_policies(world: &World) {
    let db = &world.stack.db;
    let superuser = kit_pg::bootstrap::open(db.auth.admin_url()).await.unwrap();
    for db in [&db.auth, &db.songlist, &db.payments] {
        for table in tables(db, "c.relrowsecurity").await.unwrap() {
            let sql = format!("ALTER TABLE {}.{table} DISABLE ROW LEVEL SECURITY", db.schema);
            superuser.batch_execute(&sql).await.unwrap();
        }
    }
}

async fn delete_everything_of(world: &World, tenant: &FullTenant) {
    let (auth, songlist) = (&world.stack.db.auth, &world.stack.db.songlist);
    let superuser = kit_pg::bootstrap::open(auth.admin_url()).await.unwrap();
    for table in ["songs", "tenant_songs", "playlists", "song_requests"] {
        let sql = format!(
            "UPDATE {}.{table} SET deleted_at = now() WHERE tenant_id = '{}'",
            songlist.schema, tenant.tenant.id
        );
        superuser.batch_execute(&sql).await.unwrap();
    }
    let sql = format!("UPDATE {}.users SET deleted_at = now() WHERE id = '{}'", auth.schema, tenant.listener.id);
    superuser.batch_execute(&sql).await.unwrap();
}

/// Walks every route; returns what got through.
async fn walk(with_policies: bool) -> Vec<String> {
    let world = World::start().await;
    let own = world.full_tenant("Alpha").await;
    let neighbour = world.listener(&own.tenant, "neighbour").await;
    let other = world.full_tenant("Beta").await;
    let deleted = world.full_tenant("Gamma").await;
    delete_everything_of(&world, &deleted).await;
    let closed = world.tenant("Closed").await;
    let locked_out = world.listener(&closed, "listener").await;
    let path = format!("/tenants/{}/deactivate/", closed.id);
    world.root.client.patch(&path, json!({})).await.unwrap().expect(200).unwrap();
    let signed_out = world.sign_in(&own.tenant.slug, &own.listener.email).await;
    let refresh = json!({ "refresh": signed_out.refresh });
    signed_out.client.post("/auth/logout/", refresh).await.unwrap().expect(200).unwrap();
    testkit::eventually("a locked tenant", || async {
        (locked_out.client.get("/users/me/").await.unwrap().status == 401).then_some(())
    })
    .await;
    if !with_policies {
        switch_off_policies(&world).await;
    }
    let dead = vec![("a user of an inactive tenant", locked_out), ("a user who has signed out", signed_out)];
    let mut walk = Walk {
        world: &world,
        own: &own,
        neighbour: &neighbour,
        other: &other,
        deleted: &deleted,
        dead,
        leaks: Vec::new(),
    };
    walk.lists().await;
    let mut walked: Vec<&Rule> = rules().filter(|rule| matches!(rule.access, Access::Roles(_))).collect();
    // Without walls a foreign user is deleted, and what the user has made with it.
    walked.sort_by_key(|rule| rule.path.starts_with("/users/{id}/"));
    for rule in walked {
        walk.rule(rule).await;
    }
    let leaks = walk.leaks;
    world.stop().await;
    leaks
}

#[tokio::test]
async fn tn_04_and_en_07_every_route_refuses_every_actor_and_object_that_is_not_in_its_scope() {
    assert_eq!(walk(true).await, Vec::<String>::new());
}

#[tokio::test]
async fn without_the_policies_the_predicates_of_the_queries_keep_tenants_apart() {
    assert_eq!(walk(false).await, Vec::<String>::new());
}

/// Runs a test of this file again in a process of its own, in which the tenant predicates of the queries are switched off:
/// the switch is global. `None` in that process.
async fn in_a_process_without_predicates(name: &str) -> Option<()> {
    const SWITCH: &str = "SONGLIST_TEST_WITHOUT_TENANT_PREDICATE";
    if std::env::var_os(SWITCH).is_some() {
        kit_pg::switch_off_tenant_predicate(true);
        return None;
    }
    let mut alone = tokio::process::Command::new(std::env::current_exe().unwrap());
    let output =
        alone.args([&format!("walls::{name}"), "--exact", "--nocapture"]).env(SWITCH, "1").output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{}", String::from_utf8_lossy(&output.stderr));
    Some(())
}

#[tokio::test]
async fn without_the_predicates_the_policies_of_the_database_keep_tenants_apart() {
    let name = "without_the_predicates_the_policies_of_the_database_keep_tenants_apart";
    if in_a_process_without_predicates(name).await.is_none() {
        assert_eq!(walk(true).await, Vec::<String>::new());
    }
}

#[tokio::test]
async fn without_both_the_walk_finds_what_leaks() {
    if in_a_process_without_predicates("without_both_the_walk_finds_what_leaks").await.is_none() {
        let leaks = walk(false).await;
        for kind in ["/tenant/songs/{id}/", "/playlists/{id}/", "/song-requests/{id}/", "/payments/{id}/"] {
            assert!(leaks.iter().any(|leak| leak.contains(kind)), "{kind} does not leak: {leaks:?}");
        }
    }
}
