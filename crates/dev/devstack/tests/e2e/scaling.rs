//! Two replicas of each service and two gateways: what must happen once happens once, and replicas come and go unnoticed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use devstack::{Client, Person, Service, World};
use reqwest::Method;
use serde_json::json;
use testkit::schema::count;
use testkit::{canary, eventually};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The same person at each gateway.
fn at_each(world: &World, person: &Person) -> Vec<Client> {
    let token = person.client.token().unwrap();
    world.stack.clients().iter().map(|client| client.with_token(token)).collect()
}

async fn ask(client: &Client, path: &str) -> Result<u16, String> {
    client.get(path).await.map(|reply| reply.status).map_err(|error| format!("{error:#}"))
}

#[tokio::test]
async fn rf_05_and_fault_22_and_fault_24_a_rolling_restart_of_everything_loses_no_request_and_signs_nobody_out() {
    let mut world = World::start_two_of_each().await;
    let tenant = world.tenant("Alpha").await;
    let anna = world.listener(&tenant, "anna").await;
    let admin = world.admin(&tenant).await;
    let front = world.stack.front().await.unwrap();
    let client = front.with_token(admin.client.token().unwrap());
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut load = tokio::task::JoinSet::new();
    for worker in 0..8 {
        let (client, stop, asked) = (client.clone(), stop.clone(), asked.clone());
        load.spawn(async move {
            let mut failed = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let turn = asked.fetch_add(1, Ordering::Relaxed);
                let path =
                    ["/playlists/", "/users/me/", "/tenant/songs/", "/payments/subscription/"][(worker + turn) % 4];
                match ask(&client, path).await {
                    Ok(200) => {}
                    other => failed.push((path, other)),
                }
            }
            failed
        });
    }
    let soak = tokio::spawn({
        let stop = stop.clone();
        async move {
            let (mut refresh, mut renewed) = (anna.refresh, 0);
            while !stop.load(Ordering::Relaxed) {
                // A refresh that was not answered is sent again, as clients do: it is the same one.
                if let Ok(reply) = front.post("/token/refresh/", json!({ "refresh": refresh })).await {
                    assert!(matches!(reply.status, 200 | 503), "{}", reply.text);
                    if reply.status == 200 {
                        refresh = reply.text_at("/refresh").unwrap();
                        renewed += 1;
                    }
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            let last = front.post("/token/refresh/", json!({ "refresh": refresh })).await.unwrap();
            assert_eq!(last.status, 200, "still signed in: {}", last.text);
            renewed
        }
    });
    for service in [Service::Auth, Service::Songlist, Service::Payments, Service::Scheduler, Service::Gateway] {
        for replica in 0..2 {
            world.stack.stop_replica(service, replica).await;
            world.stack.restart_replica(service, replica).await.unwrap();
            // The next one is stopped when this one is ready, as every rollout does.
            world.stack.all_ready().await;
        }
    }
    stop.store(true, Ordering::Relaxed);
    let failed: Vec<_> = load.join_all().await.into_iter().flatten().collect();
    assert!(failed.is_empty(), "{} of {}: {failed:?}", failed.len(), asked.load(Ordering::Relaxed));
    assert!(soak.await.unwrap() > 20, "the session went on");
    world.stop().await;
}

#[tokio::test]
async fn rf_01_both_replicas_get_their_share_and_one_that_dies_costs_no_read() {
    let mut world = World::start_two_of_each().await;
    let tenant = world.tenant("Alpha").await;
    let anna = world.listener(&tenant, "anna").await;
    let gateways = at_each(&world, &anna);
    let before = calls_of(&world).await;
    for turn in 0..200 {
        assert_eq!(ask(&gateways[turn % 2], "/playlists/").await, Ok(200));
    }
    let after = calls_of(&world).await;
    for (before, after) in before.iter().zip(&after) {
        assert!((80..=120).contains(&(after - before)), "{before} {after}");
    }
    world.stack.kill_replica(Service::Songlist, 0);
    for turn in 0..100 {
        assert_eq!(ask(&gateways[turn % 2], "/playlists/").await, Ok(200));
    }
    world.stop().await;
}

/// How many calls of the list of playlists each replica of songlist-service has answered.
async fn calls_of(world: &World) -> Vec<usize> {
    let line = "request_seconds_count{route=\"songlist.songlist.v1.Playlists/List\",status=\"0\"}";
    let metrics = world.stack.metrics(Service::Songlist).await.unwrap();
    let count = |text: &String| text.lines().find_map(|found| found.strip_prefix(line)?.trim().parse().ok());
    metrics.iter().map(|text| count(text).unwrap_or(0)).collect()
}

#[tokio::test]
async fn tokens_of_each_replica_are_accepted_and_revoked_at_both_gateways() {
    let world = World::start_two_of_each().await;
    let tenant = world.tenant("Alpha").await;
    world.listener(&tenant, "anna").await;
    // The calls of a sign-in go round, so that both replicas of auth-service sign.
    for _ in 0..3 {
        let anna = world.sign_in(&tenant.slug, "anna@alpha.example").await;
        let gateways = at_each(&world, &anna);
        for gateway in &gateways {
            gateway.get("/users/me/").await.unwrap().expect(200).unwrap();
        }
        gateways[0].post("/auth/logout/", json!({ "refresh": anna.refresh })).await.unwrap();
        for gateway in &gateways {
            eventually("the token is refused everywhere", || async {
                (gateway.get("/users/me/").await.unwrap().status == 401).then_some(())
            })
            .await;
        }
    }
    let verify = "request_seconds_count{route=\"songlist.auth.v1.SignIn/Verify\"";
    for metrics in world.stack.metrics(Service::Auth).await.unwrap() {
        assert!(metrics.contains(verify), "each replica has signed: {metrics}");
    }
    world.stop().await;
}

#[tokio::test]
async fn fault_43_parallel_requests_with_one_key_at_two_gateways_have_one_effect() {
    let world = World::start_two_of_each().await;
    let alpha = world.full_tenant("Alpha").await;
    let gateways = at_each(&world, &alpha.listener);
    let mut posts = tokio::task::JoinSet::new();
    for n in 0..20 {
        let client = gateways[n % 2].clone();
        posts.spawn(async move {
            let request = client.request(Method::POST, "/playlists/").header("idempotency-key", "one list");
            client.send(request.json(&json!({ "name": "Made once" }))).await.unwrap()
        });
    }
    let replies = posts.join_all().await;
    let mut made: Vec<String> =
        replies.iter().filter(|reply| reply.status == 201).map(|reply| reply.text_at("/data/id").unwrap()).collect();
    assert!(replies.iter().all(|reply| matches!(reply.status, 201 | 409)), "made, made before, or being made");
    made.sort();
    made.dedup();
    assert_eq!(made.len(), 1);
    let lists = gateways[1].get("/playlists/").await.unwrap().expect(200).unwrap();
    let named = lists.at("/data").as_array().unwrap().iter().filter(|list| list["name"] == "Made once").count();
    assert_eq!(named, 1);
    world.stop().await;
}

#[tokio::test]
async fn a_limit_counts_the_requests_of_both_gateways_together() {
    let world = World::start_two_of_each_with_real_limits().await;
    let gateways = at_each(&world, &world.root);
    let (began, mut accepted) = (Instant::now(), 0_u32);
    // 600 reads a minute and user.
    for turn in 0..900 {
        match gateways[turn % 2].get("/users/me/").await.unwrap().status {
            200 => accepted += 1,
            429 => {}
            other => panic!("{other}"),
        }
    }
    let refilled = u32::try_from(began.elapsed().as_secs() * 10).unwrap();
    let allowed = 600 + refilled;
    assert!((allowed * 9 / 10..=allowed * 11 / 10).contains(&accepted), "{accepted} of {allowed}");
    world.stop().await;
}

#[tokio::test]
async fn a_registration_at_two_replicas_sends_one_mail() {
    let world = World::start_two_of_each().await;
    let tenant = world.tenant("Alpha").await;
    for n in 0..6 {
        world.listener(&tenant, &format!("person{n}")).await;
    }
    let unsent = || count(&world.stack.db.auth, "outbox WHERE state = 'pending'");
    eventually("nothing is left to send", || async { (unsent().await.unwrap() == 0).then_some(()) }).await;
    for n in 0..6 {
        let to = format!("person{n}@alpha.example");
        let mails = world.stack.mailbox.find(|mail| mail.to.contains(&to));
        let mut subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
        subjects.sort_unstable();
        let sent = subjects.len();
        subjects.dedup();
        assert!(sent >= 2 && subjects.len() == sent, "none was sent twice: {subjects:?}, {sent}");
    }
    world.stop().await;
}

#[tokio::test]
async fn rf_03_a_gateway_that_stops_finishes_the_import_that_it_receives() {
    let mut world = World::start_two_of_each().await;
    world.root.create("/genres/", json!({ "name": "Rock" })).await;
    let rows: String = (0..6_000).map(|n| format!("Song {n},Artist {},Rock\n", n % 40)).collect();
    let file = format!("title,artist,genre\n{rows}");
    let (first, rest) = file.split_at(file.len() / 3);
    let head = format!(
        "POST /api/v1/songs/import/ HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\n\
         content-length: {}\r\n\r\n",
        world.root.client.token().unwrap(),
        file.len()
    );
    let mut upload = TcpStream::connect(world.stack.url.trim_start_matches("http://")).await.unwrap();
    upload.write_all(head.as_bytes()).await.unwrap();
    upload.write_all(first.as_bytes()).await.unwrap();
    let uploaded = async {
        // Until the gateway drains; half a second is how long it would wait for nothing.
        tokio::time::sleep(Duration::from_secs(1)).await;
        upload.write_all(rest.as_bytes()).await.unwrap();
        let mut answer = String::new();
        upload.read_to_string(&mut answer).await.unwrap();
        answer
    };
    let (answer, ()) = tokio::join!(uploaded, world.stack.stop_replica(Service::Gateway, 0));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("\"created\":6000"), "{answer}");
    assert!(answer.to_lowercase().contains("connection: close"), "the next request goes elsewhere: {answer}");
    world.stop().await;
}

#[tokio::test]
async fn rf_10_the_id_of_a_request_is_in_the_log_of_every_service_that_takes_part_in_it() {
    let world = World::start().await;
    let id = "rf-10-0123456789abcdef";
    let request = world.root.client.request(Method::POST, "/tenants/").header("x-request-id", id);
    world.root.client.send(request.json(&json!({ "name": "Alpha" }))).await.unwrap().expect(201).unwrap();
    eventually("payments- and songlist-service have taken the event", || async {
        (canary::logged(&[id, "EventSink/Deliver", "\"message\":\"call\""]).len() >= 2).then_some(())
    })
    .await;
    assert_eq!(canary::logged(&[id, "Tenants/Create", "\"message\":\"call\""]).len(), 1, "auth-service");
    assert_eq!(canary::logged(&[id, "POST /tenants/", "\"message\":\"request\""]).len(), 1, "the gateway");
    world.stop().await;
}

#[tokio::test]
async fn rf_02_and_fault_23_each_service_ends_within_two_seconds_whoever_is_connected_and_silent() {
    let mut world = World::start().await;
    let mut connected = Vec::new();
    for service in Service::ALL {
        for addr in world.stack.listeners(service) {
            for _ in 0..20 {
                connected.push(TcpStream::connect(addr).await.unwrap());
            }
        }
    }
    // The body of this one does not end.
    let mut half = TcpStream::connect(world.stack.url.trim_start_matches("http://")).await.unwrap();
    let head = "POST /api/v1/auth/super-admin/login/ HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    half.write_all(format!("{head}content-length: 100\r\n\r\n{{\"email\"").as_bytes()).await.unwrap();
    world.root.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    for service in [Service::Gateway, Service::Scheduler, Service::Payments, Service::Songlist, Service::Auth] {
        let began = Instant::now();
        world.stack.end_replica(service, 0).await;
        assert!(began.elapsed() < Duration::from_secs(2), "{service:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn fault_18_a_request_ends_with_its_budget_when_a_service_answers_nothing() {
    let world = World::start_behind_links().await;
    let tenant = world.tenant("Alpha").await;
    let anna = world.listener(&tenant, "anna").await;
    world.stack.links().unwrap().songlist.freeze();
    let unknown = "/playlists/01890000-0000-7000-8000-000000000000/";
    let began = Instant::now();
    let asked = [
        anna.client.get("/playlists/").await.unwrap(),
        anna.client.patch(unknown, json!({ "name": 5 })).await.unwrap(),
    ];
    assert!(asked.iter().all(|reply| reply.status == 503), "{asked:?}");
    assert!(began.elapsed() < Duration::from_millis(5_000), "two seconds each: {:?}", began.elapsed());
    anna.client.get("/users/me/").await.unwrap().expect(200).unwrap();
    world.stack.links().unwrap().songlist.mend();
    world.stop().await;
}
