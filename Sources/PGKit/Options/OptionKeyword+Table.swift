// The one table of options. Source: PostgreSQL manual (18), "Parameter Key Words" and "Environment
// Variables"; py-postgresql's connection keywords are the aliases.
//
// An option that PGKit has no use for is accepted if leaving it aside makes nothing less safe, and
// refused if the caller would believe in a protection that is not there.

extension OptionKeyword {
  /// Every option, in the order in which explanations list them.
  static let all: [OptionKeyword] = addressing + session + patience + security + unhonoured

  private static let addressing: [OptionKeyword] = [
    .init("service", variable: "PGSERVICE", .text({ $0.service }, { $0.service = $1 })),
    .init(
      "servicefile", variable: "PGSERVICEFILE", .text({ $0.serviceFile }, { $0.serviceFile = $1 })),
    .init("user", variable: "PGUSER", .text({ $0.user }, { $0.user = $1 })),
    .init(
      "password", variable: "PGPASSWORD", isSecret: true,
      .text({ $0.password }, { $0.password = $1 })),
    .init(
      "passfile", or: ["pgpassfile"], variable: "PGPASSFILE",
      .text({ $0.passwordFile }, { $0.passwordFile = $1 })),
    .init(
      "dbname", or: ["database"], variable: "PGDATABASE",
      .text({ $0.database }, { $0.database = $1 })),
    .init("host", variable: "PGHOST", .list({ $0.hosts }, { $0.hosts = $1 })),
    .init(
      "hostaddr", variable: "PGHOSTADDR", .list({ $0.hostAddresses }, { $0.hostAddresses = $1 })),
    .init("port", variable: "PGPORT", fallback: "5432", .ports({ $0.ports }, { $0.ports = $1 })),
    .init("unix", .text({ $0.unix }, { $0.unix = $1 })),
  ]

  private static let session: [OptionKeyword] = [
    .init("options", variable: "PGOPTIONS", .text({ $0.options }, { $0.options = $1 })),
    .init(
      "application_name", variable: "PGAPPNAME",
      .text({ $0.applicationName }, { $0.applicationName = $1 })),
    .init(
      "fallback_application_name",
      .text({ $0.fallbackApplicationName }, { $0.fallbackApplicationName = $1 })),
    .init(
      "client_encoding", variable: "PGCLIENTENCODING", fallback: "UTF8",
      .text({ $0.clientEncoding }, { $0.clientEncoding = $1 })),
    .init("server_encoding", .text({ $0.serverEncoding }, { $0.serverEncoding = $1 })),
    .init("replication", .text({ $0.replication }, { $0.replication = $1 })),
    .init(
      "target_session_attrs", variable: "PGTARGETSESSIONATTRS", fallback: "any",
      .choice({ $0.targetSession }, { $0.targetSession = $1 })),
    .init(
      "load_balance_hosts", variable: "PGLOADBALANCEHOSTS", fallback: "disable",
      .flag({ $0.loadBalanceHosts }, { $0.loadBalanceHosts = $1 }, no: "disable", yes: "random")),
    .init(
      "min_protocol_version", variable: "PGMINPROTOCOLVERSION", fallback: "3.0",
      .word(
        { $0.minimumProtocolVersion }, { $0.minimumProtocolVersion = $1 },
        of: ["3.0", "3.2", "latest"])),
    .init(
      "max_protocol_version", variable: "PGMAXPROTOCOLVERSION", fallback: "3.0",
      .word(
        { $0.maximumProtocolVersion }, { $0.maximumProtocolVersion = $1 },
        of: ["3.0", "3.2", "latest"])),
  ]

  private static let patience: [OptionKeyword] = [
    .init(
      "connect_timeout", variable: "PGCONNECT_TIMEOUT", fallback: "0",
      .number({ $0.connectTimeout }, { $0.connectTimeout = $1 }, -0x7fff_ffff...0x7fff_ffff)),
    .init("keepalives", fallback: "1", .flag({ $0.keepalives }, { $0.keepalives = $1 })),
    .init(
      "keepalives_idle", .number({ $0.keepalivesIdle }, { $0.keepalivesIdle = $1 }, 0...0x7fff_ffff)
    ),
    .init(
      "keepalives_interval",
      .number({ $0.keepalivesInterval }, { $0.keepalivesInterval = $1 }, 0...0x7fff_ffff)),
    .init(
      "keepalives_count",
      .number({ $0.keepalivesCount }, { $0.keepalivesCount = $1 }, 0...0x7fff_ffff)),
    .init(
      "tcp_user_timeout",
      .number({ $0.tcpUserTimeout }, { $0.tcpUserTimeout = $1 }, 0...0x7fff_ffff)),
  ]

  private static let security: [OptionKeyword] = [
    .init(
      "sslmode", variable: "PGSSLMODE", fallback: "prefer",
      .choice({ $0.sslMode }, { $0.sslMode = $1 })),
    .init(
      "requiressl", variable: "PGREQUIRESSL",
      .translated(to: { $0.sslMode = $1 }, ["0": .prefer, "1": .require])),
    .init(
      "sslnegotiation", variable: "PGSSLNEGOTIATION", fallback: "postgres",
      .choice({ $0.sslNegotiation }, { $0.sslNegotiation = $1 })),
    .init(
      "sslcert", or: ["sslcrtfile"], variable: "PGSSLCERT",
      .text({ $0.sslCertificate }, { $0.sslCertificate = $1 })),
    .init(
      "sslkey", or: ["sslkeyfile"], variable: "PGSSLKEY", .text({ $0.sslKey }, { $0.sslKey = $1 })),
    .init("sslpassword", isSecret: true, .text({ $0.sslPassword }, { $0.sslPassword = $1 })),
    .init(
      "sslcertmode", variable: "PGSSLCERTMODE", fallback: "allow",
      .choice({ $0.sslCertificateMode }, { $0.sslCertificateMode = $1 })),
    .init(
      "sslrootcert", or: ["sslrootcrtfile"], variable: "PGSSLROOTCERT",
      .text({ $0.sslRootCertificate }, { $0.sslRootCertificate = $1 })),
    .init(
      "sslcrl", or: ["sslrootcrlfile"], variable: "PGSSLCRL",
      .text({ $0.sslRevocationList }, { $0.sslRevocationList = $1 })),
    .init(
      "sslcrldir", variable: "PGSSLCRLDIR",
      .text({ $0.sslRevocationDirectory }, { $0.sslRevocationDirectory = $1 })),
    .init(
      "sslsni", variable: "PGSSLSNI", fallback: "1",
      .flag({ $0.sslServerNameIndication }, { $0.sslServerNameIndication = $1 })),
    .init(
      "ssl_min_protocol_version", variable: "PGSSLMINPROTOCOLVERSION", fallback: "TLSv1.2",
      .choice({ $0.sslMinimumVersion }, { $0.sslMinimumVersion = $1 })),
    .init(
      "ssl_max_protocol_version", variable: "PGSSLMAXPROTOCOLVERSION",
      .choice({ $0.sslMaximumVersion }, { $0.sslMaximumVersion = $1 })),
    .init(
      "channel_binding", variable: "PGCHANNELBINDING", fallback: "prefer",
      .choice({ $0.channelBinding }, { $0.channelBinding = $1 })),
    .init(
      "require_auth", variable: "PGREQUIREAUTH",
      .text({ $0.requireAuthentication }, { $0.requireAuthentication = $1 })),
    .init(
      "scram_max_iterations",
      .number({ $0.scramIterationLimit }, { $0.scramIterationLimit = $1 }, 1...0x7fff_ffff)),
  ]

  private static let unhonoured: [OptionKeyword] = [
    // There is no GSSAPI here, so the modes that can do without it are already kept.
    .init(
      "gssencmode", variable: "PGGSSENCMODE",
      .ignored(only: ["disable", "prefer"], because: "PGKit has no GSSAPI encryption")),
    // How GSSAPI would be done; a server that insists on it is answered with a clear error.
    .init("krbsrvname", variable: "PGKRBSRVNAME", .ignored),
    .init("gsslib", variable: "PGGSSLIB", .ignored),
    .init("gssdelegation", variable: "PGGSSDELEGATION", .ignored),
    // Whoever names the server's owner wants others refused.
    .init(
      "requirepeer", variable: "PGREQUIREPEER",
      .refused(because: "PGKit does not check the owner of a socket's server process")),
    // Keys in place of a password: without them there would be a login with something else.
    .init("scram_client_key", isSecret: true, .refused(because: "PGKit derives keys itself")),
    .init("scram_server_key", isSecret: true, .refused(because: "PGKit derives keys itself")),
    // Never compressed, as libpq since version 14.
    .init("sslcompression", variable: "PGSSLCOMPRESSION", .ignored),
    // A file of secrets that is not written hurts nobody.
    .init("sslkeylogfile", .ignored),
    // There is no OAuth here; a server that asks for it is answered with a clear error.
    .init("oauth_issuer", .ignored),
    .init("oauth_client_id", .ignored),
    .init("oauth_client_secret", isSecret: true, .ignored),
    .init("oauth_scope", .ignored),
  ]
}
