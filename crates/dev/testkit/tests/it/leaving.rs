use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::replica::Replica;

#[tokio::test]
async fn rf_02_and_fault_23_silent_clients_and_half_a_request_do_not_hold_up_the_end() {
    let replica = Replica::start().await;
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(replica.addr).await.unwrap());
    }
    let mut half = TcpStream::connect(replica.addr).await.unwrap();
    // The preface of HTTP/2, empty settings, and the beginning of a frame with headers.
    half.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x20\x01\x04\0\0\0\x01").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let began = Instant::now();
    replica.shutdown.stop();
    replica.shutdown.finished(Duration::from_secs(20)).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
}
