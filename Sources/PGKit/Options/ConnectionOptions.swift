/// What is known about a connection to be made: who, where, how protected, with which settings.
///
/// Every member is optional: `nil` means "not said", and a later source may fill it. Members are
/// filled from an IRI, a keyword string, the environment, service files or by hand; see
/// ``OptionSources`` for the order in which sources win. ``PGKit/connect(_:)`` takes the options
/// exactly as they are, ``PGKit/open(_:_:)`` fills the gaps from the environment first.
///
/// In py-postgresql: connection keywords, client parameters.
public struct ConnectionOptions: Sendable, Hashable {
  /// `user`: the role to log in as.
  public var user: String?
  /// `password`, never part of a description.
  public var password: String?
  /// `passfile`: the password file's path.
  public var passwordFile: String?
  /// `database` (libpq: `dbname`).
  public var database: String?
  /// `host`: names, addresses or socket directories, in the order of trial.
  public var hosts: [String]?
  /// `hostaddr`: numeric addresses, one for each host; an empty one stands for "look it up".
  public var hostAddresses: [String]?
  /// `port`: one for all hosts, or one for each.
  public var ports: [Int]?
  /// `unix`: the path of a socket, instead of hosts and ports (py-postgresql).
  public var unix: String?
  /// Server settings for the startup packet, in order; names are compared without case.
  public var settings: [Setting]
  /// `options`: command-line options for the server process.
  public var options: String?
  /// `application_name`.
  public var applicationName: String?
  /// `fallback_application_name`: used when no application name is given.
  public var fallbackApplicationName: String?
  /// `client_encoding` that the caller asked for; PGKit itself speaks UTF-8.
  public var clientEncoding: String?
  /// `server_encoding` (py-postgresql): accepted for its grammar; user and password travel as UTF-8.
  public var serverEncoding: String?
  /// `replication`: `true`, `database`, …, passed in the startup packet.
  public var replication: String?
  /// `service`: the section of the service file that was asked for.
  public var service: String?
  /// `servicefile`: where to look for it first.
  public var serviceFile: String?

  /// `connect_timeout`: the longest wait for one host, in seconds; 0 or less waits forever.
  public var connectTimeout: Int?
  /// `keepalives`: whether TCP keepalive is on (default: on).
  public var keepalives: Bool?
  /// `keepalives_idle`, in seconds.
  public var keepalivesIdle: Int?
  /// `keepalives_interval`, in seconds.
  public var keepalivesInterval: Int?
  /// `keepalives_count`.
  public var keepalivesCount: Int?
  /// `tcp_user_timeout`, in milliseconds.
  public var tcpUserTimeout: Int?
  /// `target_session_attrs` (default: any).
  public var targetSession: TargetSession?
  /// `load_balance_hosts`: whether hosts and their addresses are tried in random order.
  public var loadBalanceHosts: Bool?

  /// `sslmode` (default: prefer).
  public var sslMode: SSLMode?
  /// `sslnegotiation`: `direct` starts TLS without asking (default: postgres).
  public var sslNegotiation: SSLNegotiation?
  /// `sslcert` (py-postgresql: `sslcrtfile`): the client certificate's file.
  public var sslCertificate: String?
  /// `sslkey` (py-postgresql: `sslkeyfile`): its private key's file.
  public var sslKey: String?
  /// `sslcertmode`: whether a client certificate may be shown (default: allow).
  public var sslCertificateMode: ClientCertificateMode?
  /// `sslpassword`: the passphrase of the key, never part of a description.
  public var sslPassword: String?
  /// `sslrootcert` (py-postgresql: `sslrootcrtfile`): trusted authorities' file, or `system`.
  public var sslRootCertificate: String?
  /// `sslcrl` (py-postgresql: `sslrootcrlfile`): revoked certificates' file.
  public var sslRevocationList: String?
  /// `sslcrldir`: a directory of such files.
  public var sslRevocationDirectory: String?
  /// `sslsni`: whether the host name is sent in the clear (default: yes).
  public var sslServerNameIndication: Bool?
  /// `ssl_min_protocol_version` (default: TLSv1.2).
  public var sslMinimumVersion: TLSVersion?
  /// `ssl_max_protocol_version`.
  public var sslMaximumVersion: TLSVersion?
  /// `channel_binding` (default: prefer).
  public var channelBinding: ChannelBindingPolicy?
  /// `require_auth`: which authentication methods may be used, as the text form of the list.
  public var requireAuthentication: String?
  /// `scram_max_iterations`: the largest PBKDF2 count accepted from a server (PGKit's own).
  public var scramIterationLimit: Int?
  /// `min_protocol_version` (default: 3.0).
  public var minimumProtocolVersion: String?
  /// `max_protocol_version` (default: 3.0; `3.2` or `latest` offers 3.2).
  public var maximumProtocolVersion: String?

  /// Makes options of which nothing is known.
  public init() { settings = [] }

  /// The port of a server that was given none.
  public static let defaultPort = 5432

  /// One server setting for the startup packet.
  public struct Setting: Sendable, Hashable {
    /// The setting's name.
    public var name: String
    /// Its value.
    public var value: String
    /// Makes a setting.
    public init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }
}

/// How TLS is begun: `sslnegotiation`.
public enum SSLNegotiation: String, Sendable, CaseIterable {
  /// Ask first, as every server since 1999 understands.
  case postgres
  /// Begin at once with ALPN `postgresql` (server 17 and later); needs `sslmode` of require or above.
  case direct
}

/// Whether a client certificate may be shown to the server: `sslcertmode`.
///
/// libpq's third word, `require`, is refused: PGKit does not check that the server asked for one.
public enum ClientCertificateMode: String, Sendable, CaseIterable {
  /// Never, even if there is one.
  case disable
  /// If the server asks and there is one.
  case allow
}

/// Whether the login must be bound to the TLS channel: `channel_binding`.
public enum ChannelBindingPolicy: String, Sendable, CaseIterable {
  /// Never.
  case disable
  /// Where both ends can.
  case prefer
  /// Always, or no connection.
  case require
}

/// A version of TLS, as `ssl_min_protocol_version` spells it.
public enum TLSVersion: String, Sendable, CaseIterable, Comparable {
  /// TLS 1.0.
  case tls10 = "TLSv1"
  /// TLS 1.1.
  case tls11 = "TLSv1.1"
  /// TLS 1.2.
  case tls12 = "TLSv1.2"
  /// TLS 1.3.
  case tls13 = "TLSv1.3"

  /// Orders versions by age.
  public static func < (left: TLSVersion, right: TLSVersion) -> Bool {
    left.rawValue < right.rawValue
  }
}
