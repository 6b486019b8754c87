//! Importing a file of songs.

use proto::songlist::import_songs_request::Part;
use proto::songlist::{ImportEnd, ImportFormat, ImportOptions, ImportSongsRequest, ImportSongsResponse, SongFilters};
use testkit::caller::{call, super_admin};
use testkit::schema::count;

use crate::service::Songlist;

/// Imports a CSV file as a SUPER_ADMIN; without `whole`, the part that ends the stream is not sent.
async fn import(songlist: &Songlist, file: &str, whole: bool) -> Result<ImportSongsResponse, tonic::Status> {
    let options =
        ImportOptions { format: ImportFormat::Csv.into(), genre: Some("Rock".to_owned()), ..ImportOptions::default() };
    let mut parts = vec![Part::Options(options), Part::Piece(file.as_bytes().to_vec())];
    if whole {
        parts.push(Part::End(ImportEnd {}));
    }
    let parts: Vec<_> = parts.into_iter().map(|part| ImportSongsRequest { part: Some(part) }).collect();
    let request = call(&super_admin(), tokio_stream::iter(parts));
    Ok(songlist.songs().import(request).await?.into_inner())
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
    let report = import(&songlist, &rows(2_500), true).await.unwrap();
    assert_eq!((report.total, report.failed), (2_500, 25));
    assert_eq!((report.skipped_duplicates, report.created), (1_000, 1_475));
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
