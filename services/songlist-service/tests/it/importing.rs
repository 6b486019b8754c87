//! Importing a file of songs.

use std::sync::Arc;

use kit::caller::Caller;
use kit::grpc::Peer;
use kit::ids::TenantId;
use proto::songlist::import_songs_request::Part;
use proto::songlist::songs_client::SongsClient;
use proto::songlist::{ImportEnd, ImportFormat, ImportOptions, ImportSongsRequest, ImportSongsResponse, SongFilters};
use testkit::caller::{admin, call, super_admin};
use testkit::schema::count;
use testkit::{eventually, eventually_ok};

use crate::service::Songlist;

/// Imports a CSV file as a SUPER_ADMIN; without `whole`, the part that ends the stream is not sent.
async fn import(songlist: &Songlist, file: &str, whole: bool) -> Result<ImportSongsResponse, tonic::Status> {
    import_as(&super_admin(), songlist.songs(), file, whole).await
}

async fn import_as(
    caller: &Caller,
    songs: SongsClient<Peer>,
    file: &str,
    whole: bool,
) -> Result<ImportSongsResponse, tonic::Status> {
    send(caller, songs, csv(false), file, whole).await
}

fn csv(dry_run: bool) -> ImportOptions {
    let genre = Some("Rock".to_owned());
    ImportOptions { format: ImportFormat::Csv.into(), genre, dry_run, ..ImportOptions::default() }
}

async fn send(
    caller: &Caller,
    mut songs: SongsClient<Peer>,
    options: ImportOptions,
    file: &str,
    whole: bool,
) -> Result<ImportSongsResponse, tonic::Status> {
    let mut parts = vec![Part::Options(options), Part::Piece(file.as_bytes().to_vec())];
    if whole {
        parts.push(Part::End(ImportEnd {}));
    }
    let parts: Vec<_> = parts.into_iter().map(|part| ImportSongsRequest { part: Some(part) }).collect();
    let request = call(caller, tokio_stream::iter(parts));
    Ok(songs.import(request).await?.into_inner())
}

#[tokio::test]
async fn every_row_of_an_import_is_accounted_for_and_refused_ones_are_named() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    let file = "title,artist,release_year\nGood,Somebody,1999\n,Nobody,1999\nGOOD,somebody,\nBad Year,Somebody,soon\n";
    let report = import(&songlist, file, true).await.unwrap();
    assert_eq!((report.total, report.created, report.skipped_duplicates, report.failed), (4, 1, 1, 2));
    let refused: Vec<_> = report.errors.iter().map(|error| (error.row, error.field.as_str())).collect();
    assert_eq!(refused, [(2, "title"), (4, "release_year")]);
}

#[tokio::test]
async fn a_tenant_gets_own_songs_created_and_global_ones_linked_each_once_and_a_dry_run_tells_it_before() {
    let songlist = Songlist::start().await;
    let rock = songlist.genre("Rock").await;
    let tenant = TenantId::new();
    let boss = admin(tenant);
    for title in ["On no list", "On the list", "Both"] {
        songlist.song(&super_admin(), title, "Band", &rock).await.unwrap();
    }
    let own = songlist.song(&boss, "Both", "Band", &rock).await.unwrap();
    let import = async |dry_run, titles: &str| {
        let file =
            format!("title,artist\n{}", titles.split(',').map(|title| format!("{title},Band\n")).collect::<String>());
        let report = send(&boss, songlist.songs(), csv(dry_run), &file, true).await.unwrap();
        assert_eq!(report.failed, 0, "{report:?}");
        (report.total, report.created, report.linked, report.skipped_duplicates)
    };
    let links = async || count(&songlist.db, "tenant_songs WHERE deleted_at IS NULL").await.unwrap();
    assert_eq!(import(false, "On the list").await, (1, 0, 1, 0));
    assert_eq!(links().await, 2);
    let titles = "New,On no list,On the list,Both,new";
    assert_eq!(import(true, titles).await, (5, 1, 1, 3));
    assert_eq!((links().await, count(&songlist.db, "songs").await.unwrap()), (2, 4), "nothing has changed");
    assert_eq!(import(false, titles).await, (5, 1, 1, 3));
    assert_eq!((links().await, count(&songlist.db, "songs").await.unwrap()), (4, 5));
    assert_eq!(import(true, titles).await, (5, 0, 0, 5));
    assert_eq!(import(false, titles).await, (5, 0, 0, 5));
    // Of two songs of one form the tenant's own one is meant, also when neither is on the list.
    let unlink = format!("DELETE FROM {}.tenant_songs WHERE song_id = '{}'", songlist.db.schema, own.id);
    kit_pg::bootstrap::open(songlist.db.admin_url()).await.unwrap().batch_execute(&unlink).await.unwrap();
    assert_eq!(import(false, "Both").await, (1, 0, 1, 0));
    assert_eq!(count(&songlist.db, &format!("tenant_songs WHERE song_id = '{}'", own.id)).await.unwrap(), 1);
}

#[tokio::test]
async fn a_stream_without_its_end_imports_no_torn_row_and_the_file_sent_again_is_complete() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    let torn = "title,artist\nFirst,Somebody\nTorn at its en";
    let refused = import(&songlist, torn, false).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
    let all = SongFilters::default();
    assert!(!songlist.titles(&super_admin(), all.clone()).await.iter().any(|title| title.starts_with("Torn")));
    let report = import(&songlist, &format!("{torn}d,Somebody\n"), true).await.unwrap();
    assert_eq!((report.total, report.failed), (2, 0), "{report:?}");
    let mut titles = songlist.titles(&super_admin(), all).await;
    titles.sort();
    assert_eq!(titles, ["First", "Torn at its end"]);
}

#[tokio::test]
async fn whole_batches_of_a_file_that_was_cut_off_are_kept_and_the_file_sent_again_is_complete() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    let row = |number: usize| match number % 100 {
        0 => ",Nobody\n".to_owned(),
        _ => format!("Song {number},Somebody\n"),
    };
    let rows = |count: usize| format!("title,artist\n{}", (1..=count).map(row).collect::<String>());
    import(&songlist, &format!("{}Torn at its en", rows(1_500)), false).await.unwrap_err();
    assert_eq!(count(&songlist.db, "songs").await.unwrap(), 1_000, "one whole batch");
    let audited = async || count(&songlist.db, "audit_events WHERE action = 'songs_import'").await.unwrap();
    assert_eq!(audited().await, 1);
    let report = import(&songlist, &rows(2_500), true).await.unwrap();
    assert_eq!((report.total, report.failed), (2_500, 25));
    assert_eq!((report.skipped_duplicates, report.created), (1_000, 1_475));
    assert_eq!(audited().await, 2, "one event of each import that stores rows, however many batches it has");
    import(&songlist, &rows(2_500), true).await.unwrap();
    assert_eq!(audited().await, 2, "nothing was stored");
    let refused: Vec<u64> = report.errors.iter().map(|error| error.row).collect();
    assert_eq!(refused, (1..=25).map(|number| number * 100).collect::<Vec<_>>(), "in the order of the file");
}

#[tokio::test]
async fn sf_14_a_row_larger_than_its_limit_ends_the_import_with_a_clear_error() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    for file in [
        format!("title,artist\n{},Somebody\n", "x".repeat(3_000_000)),
        format!("title,artist,{}\nA,B\n", "y".repeat(3_000_000)),
        format!("title,artist,{}\nA,B\n", vec!["c"; 200].join(",")),
    ] {
        let refused = import(&songlist, &file, true).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
    }
}

#[tokio::test]
async fn cf_11_a_file_as_spreadsheets_write_it_is_read_and_a_document_is_another_media_type() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    let report = import(&songlist, "\u{feff}title;artist\r\nKäse;Müller\r\n", true).await.unwrap();
    assert_eq!((report.created, report.failed), (1, 0), "{report:?}");
    let report = import(&songlist, "title\tartist\nTabs\tSomebody, Else\n", true).await.unwrap();
    assert_eq!((report.created, report.failed), (1, 0), "{report:?}");
    for document in ["%PDF-1.7 …", "PK\u{3}\u{4}…"] {
        let refused = kit::Error::from(import(&songlist, document, true).await.unwrap_err());
        assert_eq!(refused.code(), kit::Code::UnsupportedMediaType);
    }
}

#[tokio::test]
async fn sf_33_a_row_too_long_for_the_index_is_a_fault_of_that_row() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    let long = "𒀀".repeat(255);
    let file = format!("title,artist,album\nGood,Somebody,\n{long},{long},{long}\nAlso good,Somebody,\n");
    let report = import(&songlist, &file, true).await.unwrap();
    assert_eq!((report.created, report.failed), (2, 1), "{report:?}");
}

#[tokio::test]
async fn the_longest_texts_that_are_taken_fit_into_every_index_of_songs_and_links() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    // 2,400 bytes that nothing compresses: an index row has 2,704 bytes at most.
    let letters: Vec<char> = (0..600).filter_map(|n| char::from_u32(0x2_0000 + n * 7_919 % 42_000)).collect();
    let texts: Vec<String> = letters.chunks(200).map(|text| text.iter().collect()).collect();
    let file = format!("title,artist,album\n{}\n", texts.join(","));
    for caller in [admin(TenantId::new()), super_admin()] {
        let report = import_as(&caller, songlist.songs(), &file, true).await.unwrap();
        assert_eq!((report.created, report.failed), (1, 0), "{report:?}");
    }
    let superuser = kit_pg::bootstrap::open(songlist.db.admin_url()).await.unwrap();
    let stored = "SELECT octet_length(l.title_norm || l.artist_norm || l.album_norm) FROM {}.tenant_songs l";
    let bytes = superuser.query_one(&stored.replace("{}", &songlist.db.schema), &[]).await.unwrap();
    assert_eq!(bytes.get::<_, i32>(0), 2_400);
}

/// Inserts of songs wait until there is a row in `opened`.
async fn hold_inserts(songlist: &Songlist) -> tokio_postgres::Client {
    let superuser = kit_pg::bootstrap::open(songlist.db.admin_url()).await.unwrap();
    let gate = format!(
        "SET search_path = {}; CREATE TABLE opened (); GRANT SELECT ON opened TO PUBLIC; \
         CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             WHILE NOT EXISTS (SELECT FROM {}.opened) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN NULL; END $$; \
         CREATE TRIGGER waits BEFORE INSERT ON songs FOR EACH STATEMENT EXECUTE FUNCTION wait()",
        songlist.db.schema, songlist.db.schema
    );
    superuser.batch_execute(&gate).await.unwrap();
    superuser
}

#[tokio::test]
async fn imports_of_more_tenants_than_there_are_connections_leave_these_to_others_and_a_tenant_has_one_at_a_time() {
    let songlist = Arc::new(Songlist::start().await);
    songlist.genre("Rock").await;
    let superuser = hold_inserts(&songlist).await;
    let writers = async || {
        let writers =
            "SELECT count(DISTINCT pid) FROM pg_locks WHERE relation = 'songs'::regclass AND mode = 'RowExclusiveLock'";
        superuser.query_one(writers, &[]).await.unwrap().get::<_, i64>(0)
    };
    let file = "title,artist\nFirst,Somebody\n";
    let admins: Vec<Caller> = (0..6).map(|_| admin(TenantId::new())).collect();
    let start = |caller: &Caller| {
        let (caller, songs) = (caller.clone(), songlist.songs());
        let import = move || {
            let (caller, songs) = (caller.clone(), songs.clone());
            async move { import_as(&caller, songs, file, true).await }
        };
        // The probe below may have had the tenant's turn for a moment.
        tokio::spawn(eventually_ok("the import has the tenant's turn", import))
    };
    let mut running: Vec<_> = admins.iter().map(start).collect();
    for caller in &admins {
        eventually("a second import of the tenant is refused", || async {
            let second = tokio::time::timeout(
                std::time::Duration::from_millis(50),
                import_as(caller, songlist.songs(), file, true),
            );
            second.await.ok().and_then(Result::err).filter(|refused| refused.code() == tonic::Code::ResourceExhausted)
        })
        .await;
    }
    eventually("a batch waits in the database", || async { (writers().await == 1).then_some(()) }).await;
    assert_eq!(songlist.titles(&super_admin(), SongFilters::default()).await, Vec::<String>::new());
    assert_eq!(writers().await, 1, "the page was read while one batch waited, and others for their turn");
    // Whoever gives an import up may begin anew.
    running.remove(0).abort();
    superuser.batch_execute("INSERT INTO opened DEFAULT VALUES").await.unwrap();
    for import in running {
        assert_eq!(import.await.unwrap().created, 1);
    }
    let again =
        eventually_ok("the tenant may import again", || import_as(&admins[0], songlist.songs(), file, true)).await;
    assert_eq!((again.total, again.failed), (1, 0));
}

#[tokio::test]
async fn more_imports_than_run_at_once_are_refused_before_they_store_anything_and_told_when_to_come_back() {
    let songlist = Songlist::start().await;
    songlist.genre("Rock").await;
    let options =
        ImportOptions { format: ImportFormat::Csv.into(), genre: Some("Rock".to_owned()), ..ImportOptions::default() };
    let file_that_does_not_end = || {
        let parts = [Part::Options(options.clone()), Part::Piece(b"title,artist\nFirst,Somebody\n".to_vec())];
        let parts = parts.map(|part| ImportSongsRequest { part: Some(part) });
        tokio_stream::StreamExt::chain(tokio_stream::iter(parts), tokio_stream::pending())
    };
    let mut running: Vec<_> = (0..33)
        .map(|_| {
            let (mut songs, request) = (songlist.songs(), call(&admin(TenantId::new()), file_that_does_not_end()));
            tokio::spawn(async move { songs.import(request).await.map(|_| ()) })
        })
        .collect();
    let refused =
        eventually("one of them is refused", || async { running.iter().position(|import| import.is_finished()) });
    let refused = running.swap_remove(refused.await).await.unwrap().unwrap_err();
    let refused = kit::Error::from(refused);
    assert_eq!(refused.code(), kit::Code::ServiceUnavailable);
    assert!(refused.public().contains("Many imports") && refused.retry_delay().is_some(), "{refused}");
    assert!(running.iter().all(|import| !import.is_finished()), "the others go on");
    running[0].abort();
    let (next, file) = (admin(TenantId::new()), "title,artist\nSecond,Somebody\n");
    let done = eventually_ok("there is room again", || import_as(&next, songlist.songs(), file, true)).await;
    assert_eq!((done.created, done.failed), (1, 0));
}
