//! Web servers for the files of a folder; they live as long as the test.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Without TLS; its address.
pub(crate) fn serve(folder: PathBuf) -> String {
    let (listener, port) = listen();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            answer(&mut stream, &folder);
        }
    });
    format!("http://127.0.0.1:{port}")
}

/// With TLS, as `localhost`; its address, and the file with the authority that vouches for it.
pub(crate) fn serve_tls(folder: PathBuf) -> (String, PathBuf) {
    let tls = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/packages/tls");
    let certificate = CertificateDer::from_pem_file(tls.join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(tls.join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap());
    let (listener, port) = listen();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer::<StreamOwned<_, TcpStream>>(&mut StreamOwned::new(connection, stream), &folder);
        }
    });
    (format!("https://localhost:{port}"), tls.join("ca.pem"))
}

fn listen() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

/// One request for a connection. `/away/NAME` leads to a server without TLS.
fn answer<S: Read + Write>(stream: &mut S, folder: &Path) {
    let mut request = [0; 4096];
    let size = stream.read(&mut request).unwrap_or_default();
    let text = String::from_utf8_lossy(&request[..size]).into_owned();
    let path = text.split(' ').nth(1).unwrap_or_default().trim_start_matches('/').to_owned();
    let head = |status: &str, size: usize| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {size}\r\nConnection: close\r\n")
    };
    let answer = match (path.strip_prefix("away/"), fs::read(folder.join(&path))) {
        (Some(name), _) => {
            format!("{}Location: http://127.0.0.1:9/{name}\r\n\r\n", head("302 Found", 0)).into_bytes()
        }
        (None, Ok(body)) => [head("200 OK", body.len()).as_bytes(), b"\r\n", &body].concat(),
        (None, Err(_)) => format!("{}\r\n", head("404 Not Found", 0)).into_bytes(),
    };
    // Whoever has had enough hangs up.
    let _ = stream.write_all(&answer).and_then(|()| stream.flush());
}
