//! A server of the tests on loopback that answers, and breaks off, as it is told.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Path and query.
    pub(super) target: String,
    /// By lower-case name.
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

impl Asked {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

pub(super) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    cut: Option<usize>,
}

impl Answer {
    pub(super) fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new(), cut: None }
    }

    /// The same with another status.
    pub(super) fn with_status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    pub(super) fn ok(body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..Self::status(200) }
    }

    pub(super) fn json(value: serde_json::Value) -> Self {
        Self::ok(value.to_string()).header("content-type", "application/json")
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Breaks off after that many bytes of the body.
    pub(super) fn cut(mut self, bytes: usize) -> Self {
        self.cut = Some(bytes);
        self
    }
}

type Handler = dyn Fn(&Asked) -> Answer + Send + Sync;

#[derive(Clone)]
pub(super) struct Server {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    pub(super) fn start(handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static) -> Self {
        Self::with_tls(None, handler)
    }

    /// Serves until the process ends.
    pub(super) fn with_tls(
        tls: Option<Arc<rustls::ServerConfig>>,
        handler: impl Fn(&Asked) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), asked: Arc::default() };
        let (own, handler) = (server.clone(), Arc::new(handler));
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (own, handler, tls) = (own.clone(), handler.clone(), tls.clone());
                std::thread::spawn(move || own.serve(stream, tls, &*handler));
            }
        });
        server
    }

    /// `127.0.0.1:port`.
    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Requests whose target starts so, in order.
    pub(super) fn asked(&self, start: &str) -> Vec<Asked> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|asked| asked.target.starts_with(start)).cloned().collect()
    }

    fn serve(&self, stream: TcpStream, tls: Option<Arc<rustls::ServerConfig>>, handler: &Handler) {
        // Clients that try TLS first learn at once that none is spoken.
        let mut first = [0];
        if !matches!(stream.peek(&mut first), Ok(1)) || (first[0] == 0x16) != tls.is_some() {
            return;
        }
        match tls {
            Some(config) => {
                let connection = rustls::ServerConnection::new(config).unwrap();
                let mut stream = rustls::StreamOwned::new(connection, stream);
                self.one(&mut stream, handler);
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
            None => self.one(&mut { stream }, handler),
        }
    }

    /// One request on a connection.
    fn one(&self, stream: &mut (impl Read + Write), handler: &Handler) {
        let Some(asked) = read(stream) else { return };
        self.asked.lock().unwrap().push(asked.clone());
        let answer = handler(&asked);
        let mut head = format!("HTTP/1.1 {} Said\r\nconnection: close\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("content-length: {}\r\n\r\n", answer.body.len()));
        let whole = if asked.method == "HEAD" { 0 } else { answer.body.len() };
        let sent = answer.cut.map_or(whole, |cut| cut.min(whole));
        // A client may have gone away.
        let _ = stream.write_all(head.as_bytes());
        let _ = stream.write_all(&answer.body[..sent]);
        let _ = stream.flush();
    }
}

fn read(stream: &mut impl Read) -> Option<Asked> {
    let mut reader = BufReader::new(stream);
    let mut line = || {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line()?;
    let mut parts = first.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = HashMap::new();
    while let Some((name, value)) = line()?.split_once(':') {
        headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|text: &String| text.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    Some(Asked { method, target, headers, body: String::from_utf8(body).ok()? })
}
