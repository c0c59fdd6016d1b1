//! The one way in which the service itself opens connections to others, at addresses that callers wrote: to receivers of
//! webhooks. Nothing inside our own network may be reached by it (server-side request forgery).
//!
//! The address is read once, in its plain spelling; its name is resolved once, by us; every address behind it must be
//! permitted; and the connection is made to exactly one of these. There is no redirect to follow, no proxy, no pool.

use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderMap, HeaderValue, RETRY_AFTER, USER_AGENT};
use hyper_util::rt::TokioIo;
use ipnet::IpNet;
use std::future::Future;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::{Host, Position, Url};

/// Ports of receivers on the public internet.
const PORTS: [u16; 2] = [443, 8443];
/// Longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(5);
/// Most of an answer that is read.
const ANSWER_LIMIT: usize = 64 << 10;

/// Names and connections. Ours is [`Internet`]; a test writes down what would be opened.
pub trait Network {
    fn resolve(&self, host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>>;
}

/// The real one.
pub struct Internet;

impl Network for Internet {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok(tokio::net::lookup_host((host, port)).await?.collect())
    }
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

/// A network that may be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// The public internet, by https at the ports of receivers.
    Public,
    /// A network that the operator names (LGWAN, a test's loopback), at any port; loopback also by http.
    Net(IpNet),
}

impl std::str::FromStr for Reach {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "public" => Ok(Self::Public),
            net => net
                .parse()
                .map(Self::Net)
                .map_err(|_| format!("{net} is neither `public` nor a network like 10.0.0.0/8")),
        }
    }
}

/// Where connections may go.
#[derive(Clone, Debug)]
pub struct Reachable(pub Vec<Reach>);

/// Why nothing was delivered. The name is told to administrators.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The address is not one that may be written down.
    Address(&'static str),
    Unresolved,
    ForbiddenAddress,
    NotConnected,
    Tls,
    Timeout,
    BrokenAnswer,
}

impl Failure {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Address(rule) => rule,
            Self::Unresolved => "unresolved",
            Self::ForbiddenAddress => "forbidden_address",
            Self::NotConnected => "not_connected",
            Self::Tls => "tls",
            Self::Timeout => "timeout",
            Self::BrokenAnswer => "broken_answer",
        }
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
}

impl Reachable {
    /// An address that may be written down. What its name stands for is looked up with each delivery.
    pub fn target(&self, text: &str) -> Result<Url, Failure> {
        let url = Url::parse(text).map_err(|_| Failure::Address("webhooks_url_spelling"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Failure::Address("webhooks_url_https"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Failure::Address("webhooks_url_credentials"));
        }
        // 0x7f.1, 2130706433, %31, upper case, full-width digits, backslashes: whatever the reader had to interpret is refused.
        let said = text.split_once("://").map_or("", |(_, rest)| rest);
        let said = &said[..said.find(['/', '?', '#', '\\']).unwrap_or(said.len())];
        let plain = &url[Position::BeforeUsername..Position::AfterPort];
        if said != plain && said.strip_suffix(":443") != Some(plain) {
            return Err(Failure::Address("webhooks_url_spelling"));
        }
        let (http, port) = (url.scheme() != "https", url.port_or_known_default().unwrap_or_default());
        let literal = match url.host() {
            Some(Host::Ipv4(ip)) => Some(ip.into()),
            Some(Host::Ipv6(ip)) => Some(ip.into()),
            Some(Host::Domain("localhost")) => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            Some(Host::Domain(name)) if !name.ends_with('.') && name.contains('.') => None,
            _ => return Err(Failure::Address("webhooks_url_address")),
        };
        match literal {
            Some(ip) if self.permits(SocketAddr::new(ip, port), http) => Ok(url),
            None if http => Err(Failure::Address("webhooks_url_https")),
            None if PORTS.contains(&port) || self.0.iter().any(|r| *r != Reach::Public) => Ok(url),
            Some(ip) if http && self.permits(SocketAddr::new(ip, PORTS[0]), false) => {
                Err(Failure::Address("webhooks_url_https"))
            }
            Some(ip) if !self.permits(SocketAddr::new(ip, PORTS[0]), false) => {
                Err(Failure::Address("webhooks_url_address"))
            }
            _ => Err(Failure::Address("webhooks_url_port")),
        }
    }

    fn permits(&self, address: SocketAddr, http: bool) -> bool {
        let ip = address.ip();
        self.0.iter().any(|reach| match reach {
            Reach::Public => !http && is_public(ip) && PORTS.contains(&address.port()),
            Reach::Net(net) => net.contains(&ip) && (!http || ip.is_loopback()),
        })
    }

    /// Posts a message. Whatever the receiver answers is an answer; only what keeps it from us is a failure.
    pub async fn post<N: Network>(
        &self,
        network: &N,
        url: &str,
        headers: HeaderMap,
        body: String,
        limit: Duration,
    ) -> Result<Answer, Failure> {
        let url = self.target(url)?;
        timeout(limit, async {
            let stream = timeout(CONNECT, self.connect(network, &url))
                .await
                .map_err(|_| Failure::Timeout)??;
            if url.scheme() != "https" {
                return exchange(stream, &url, headers, body).await;
            }
            let name = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
            let name = ServerName::try_from(name).map_err(|_| Failure::Tls)?;
            let stream = TlsConnector::from(TLS.clone()).connect(name, stream).await;
            exchange(stream.map_err(|_| Failure::Tls)?, &url, headers, body).await
        })
        .await
        .map_err(|_| Failure::Timeout)?
    }

    async fn connect<N: Network>(&self, network: &N, url: &Url) -> Result<TcpStream, Failure> {
        let port = url.port_or_known_default().unwrap_or_default();
        let addresses = match url.host() {
            Some(Host::Ipv4(ip)) => vec![SocketAddr::new(ip.into(), port)],
            Some(Host::Ipv6(ip)) => vec![SocketAddr::new(ip.into(), port)],
            Some(Host::Domain(name)) => network.resolve(name, port).await.map_err(|_| Failure::Unresolved)?,
            None => Vec::new(),
        };
        if addresses.is_empty() {
            return Err(Failure::Unresolved);
        }
        // A name that stands for something public and something private at once means no good.
        let http = url.scheme() != "https";
        if !addresses
            .iter()
            .all(|address| address.port() == port && self.permits(*address, http))
        {
            return Err(Failure::ForbiddenAddress);
        }
        for address in addresses {
            if let Ok(stream) = network.connect(address).await {
                return Ok(stream);
            }
        }
        Err(Failure::NotConnected)
    }
}

/// The certificate authorities of the system (`SSL_CERT_FILE` names others), read once.
static TLS: LazyLock<Arc<ClientConfig>> = LazyLock::new(|| {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in found.errors {
        tracing::warn!(%error, "certificate authorities could not be read");
    }
    roots.add_parsable_certificates(found.certs);
    Arc::new(
        ClientConfig::builder()
            .with_root_certificates(roots)
            .with_no_client_auth(),
    )
});

/// One request over a connection of its own, which is closed with the answer.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    url: &Url,
    headers: HeaderMap,
    body: String,
) -> Result<Answer, Failure> {
    use http_body_util::BodyExt;
    let broken = |_| Failure::BrokenAnswer;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(broken)?;
    // Ends with this function, however far it has come.
    let mut running = JoinSet::new();
    running.spawn(connection);
    let host = HeaderValue::from_str(&url[Position::BeforeHost..Position::AfterPort]);
    let mut request = hyper::Request::post(&url[Position::BeforePath..Position::AfterQuery])
        .body(http_body_util::Full::new(hyper::body::Bytes::from(body)))
        .map_err(|_| Failure::BrokenAnswer)?;
    *request.headers_mut() = headers;
    request
        .headers_mut()
        .insert(HOST, host.map_err(|_| Failure::BrokenAnswer)?);
    request.headers_mut().insert(
        USER_AGENT,
        HeaderValue::from_static(concat!("Tsunagi/", env!("CARGO_PKG_VERSION"))),
    );
    let answer = sender.send_request(request).await.map_err(broken)?;
    let retry_after = answer.headers().get(RETRY_AFTER).and_then(|v| v.to_str().ok());
    let told = Answer {
        status: answer.status().as_u16(),
        retry_after: retry_after.map(str::to_owned),
    };
    // What else it says is of no use; a receiver that is cut off while it says it might count that as an error of its own.
    let rest = http_body_util::Limited::new(answer.into_body(), ANSWER_LIMIT).collect();
    let _ = timeout(Duration::from_secs(1), rest).await;
    Ok(told)
}

/// Is it an address of the public internet? What is not known to be one is none.
fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => is_public_v4(ip),
        IpAddr::V6(ip) => is_public_v6(ip),
    }
}

/// Source: IANA IPv4 Special-Purpose Address Registry; multicast and what is reserved besides.
fn is_public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 31, 196)
            | (192, 52, 193)
            | (192, 88, 99)
            | (192, 168, _)
            | (192, 175, 48)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

/// Source: IANA IPv6 Global Unicast Address Assignments (2000::/3) without the special purposes in it. IPv4-mapped addresses,
/// NAT64, unique local, link-local and multicast ones lie outside.
fn is_public_v6(ip: Ipv6Addr) -> bool {
    let [a, b, c, ..] = ip.segments();
    let protocol_assignment = a == 0x2001 && b < 0x0200;
    let documentation = (a == 0x2001 && b == 0x0db8) || (a == 0x3fff && b < 0x1000);
    let six_to_four = a == 0x2002;
    let as112 = a == 0x2620 && b == 0x004f && c == 0x8000;
    (0x2000..0x4000).contains(&a) && !(protocol_assignment || documentation || six_to_four || as112)
}
