// The one table of options. Source: PostgreSQL manual (18), "Parameter Key Words" and "Environment
// Variables"; py-postgresql's connection keywords are the aliases.
//
// An option that PGKit has no use for is accepted if leaving it aside makes nothing less safe, and
// refused if the caller would believe in a protection that is not there.

extension OptionKeyword {
  /// Every option, in the order in which explanations list them.
  static let all: [OptionKeyword] = addressing + session + patience + security + unhonoured

  private static let addressing: [OptionKeyword] = [
    .init("service", variable: "PGSERVICE", .text(\.service)),
    .init("servicefile", variable: "PGSERVICEFILE", .text(\.serviceFile)),
    .init("user", variable: "PGUSER", .text(\.user)),
    .init("password", variable: "PGPASSWORD", isSecret: true, .text(\.password)),
    .init("passfile", or: ["pgpassfile"], variable: "PGPASSFILE", .text(\.passwordFile)),
    .init("dbname", or: ["database"], variable: "PGDATABASE", .text(\.database)),
    .init("host", variable: "PGHOST", .list(\.hosts)),
    .init("hostaddr", variable: "PGHOSTADDR", .list(\.hostAddresses)),
    .init("port", variable: "PGPORT", fallback: "5432", .ports(\.ports)),
    .init("unix", .text(\.unix)),
  ]

  private static let session: [OptionKeyword] = [
    .init("options", variable: "PGOPTIONS", .text(\.options)),
    .init("application_name", variable: "PGAPPNAME", .text(\.applicationName)),
    .init("fallback_application_name", .text(\.fallbackApplicationName)),
    .init(
      "client_encoding", variable: "PGCLIENTENCODING", fallback: "UTF8", .text(\.clientEncoding)),
    .init("server_encoding", .text(\.serverEncoding)),
    .init("replication", .text(\.replication)),
    .init(
      "target_session_attrs", variable: "PGTARGETSESSIONATTRS", fallback: "any",
      .choice(\.targetSession)),
    .init(
      "load_balance_hosts", variable: "PGLOADBALANCEHOSTS", fallback: "disable",
      .flag(\.loadBalanceHosts, no: "disable", yes: "random")),
    .init(
      "min_protocol_version", variable: "PGMINPROTOCOLVERSION", fallback: "3.0",
      .word(\.minimumProtocolVersion, of: ["3.0", "3.2", "latest"])),
    .init(
      "max_protocol_version", variable: "PGMAXPROTOCOLVERSION", fallback: "3.0",
      .word(\.maximumProtocolVersion, of: ["3.0", "3.2", "latest"])),
  ]

  private static let patience: [OptionKeyword] = [
    .init(
      "connect_timeout", variable: "PGCONNECT_TIMEOUT", fallback: "0",
      .number(\.connectTimeout, -0x7fff_ffff...0x7fff_ffff)),
    .init("keepalives", fallback: "1", .flag(\.keepalives)),
    .init("keepalives_idle", .number(\.keepalivesIdle, 0...0x7fff_ffff)),
    .init("keepalives_interval", .number(\.keepalivesInterval, 0...0x7fff_ffff)),
    .init("keepalives_count", .number(\.keepalivesCount, 0...0x7fff_ffff)),
    .init("tcp_user_timeout", .number(\.tcpUserTimeout, 0...0x7fff_ffff)),
  ]

  private static let security: [OptionKeyword] = [
    .init("sslmode", variable: "PGSSLMODE", fallback: "prefer", .choice(\.sslMode)),
    .init(
      "requiressl", variable: "PGREQUIRESSL",
      .translated(to: \.sslMode, ["0": .prefer, "1": .require])),
    .init(
      "sslnegotiation", variable: "PGSSLNEGOTIATION", fallback: "postgres",
      .choice(\.sslNegotiation)),
    .init("sslcert", or: ["sslcrtfile"], variable: "PGSSLCERT", .text(\.sslCertificate)),
    .init("sslkey", or: ["sslkeyfile"], variable: "PGSSLKEY", .text(\.sslKey)),
    .init("sslpassword", isSecret: true, .text(\.sslPassword)),
    .init(
      "sslcertmode", variable: "PGSSLCERTMODE", fallback: "allow", .choice(\.sslCertificateMode)),
    .init(
      "sslrootcert", or: ["sslrootcrtfile"], variable: "PGSSLROOTCERT",
      .text(\.sslRootCertificate)),
    .init("sslcrl", or: ["sslrootcrlfile"], variable: "PGSSLCRL", .text(\.sslRevocationList)),
    .init("sslcrldir", variable: "PGSSLCRLDIR", .text(\.sslRevocationDirectory)),
    .init("sslsni", variable: "PGSSLSNI", fallback: "1", .flag(\.sslServerNameIndication)),
    .init(
      "ssl_min_protocol_version", variable: "PGSSLMINPROTOCOLVERSION", fallback: "TLSv1.2",
      .choice(\.sslMinimumVersion)),
    .init(
      "ssl_max_protocol_version", variable: "PGSSLMAXPROTOCOLVERSION",
      .choice(\.sslMaximumVersion)),
    .init(
      "channel_binding", variable: "PGCHANNELBINDING", fallback: "prefer",
      .choice(\.channelBinding)),
    .init("require_auth", variable: "PGREQUIREAUTH", .text(\.requireAuthentication)),
    .init("scram_max_iterations", .number(\.scramIterationLimit, 1...0x7fff_ffff)),
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
