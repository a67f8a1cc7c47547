import Foundation
import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct OptionSourcesTests {
  private func sources(
    _ environment: [String: String] = [:], home: String? = nil, prefix: String = "PG"
  ) -> OptionSources {
    var sources = OptionSources(
      prefix: prefix, environment: { environment[$0] }, homeDirectory: home, userName: "osuser")
    sources.socketDirectories = []
    sources.systemDirectory = "/nonexistent"
    return sources
  }

  private func place(_ name: String, _ resolved: ResolvedOptions) -> String? {
    resolved.entries.first { $0.name == name }.map { "\($0.value) \($0.source) \($0.place)" }
  }

  @Test("lets flags win over IRI, environment, service file and defaults, and says who won")
  func precedence() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(
      "s.conf", "[s]\nuser=service\nport=4\nconnect_timeout=4\ndbname=service\n")
    let environment = [
      "PGUSER": "env", "PGPORT": "3", "PGCONNECT_TIMEOUT": "3", "PGSERVICEFILE": file,
      "PGSERVICE": "s",
    ]
    var flags = ConnectionOptions()
    flags.user = "flag"
    flags.setSetting("a", to: "flag")
    let resolved = try sources(environment).resolve(
      iri: "pq://iri:s3cret@h:2?a=iri&b=iri", overrides: flags)
    #expect(place("user", resolved) == "flag override override")
    #expect(place("password", resolved) == "*** iri IRI")
    #expect(place("port", resolved) == "2 iri IRI")
    #expect(place("connect_timeout", resolved) == "3 environment PGCONNECT_TIMEOUT")
    #expect(place("dbname", resolved) == "service serviceFile \(file)")
    #expect(place("a", resolved) == "flag override override")
    #expect(place("b", resolved) == "iri iri IRI")
    #expect(resolved.options.password == "s3cret")
    #expect(try resolved.options.validated() == resolved.options)
  }

  @Test("fills in user, database and host")
  func defaults() throws {
    let resolved = try sources().resolve()
    #expect(place("user", resolved) == "osuser builtIn default")
    #expect(resolved.options.database == "osuser" && resolved.options.hosts == ["localhost"])
    #expect(try sources(["PGUSER": "e"]).resolve().options.database == "e")
    // An empty user or host says nothing.
    let empty = try sources(["PGHOST": "e"]).resolve(iri: "pq://:p@:5433").options
    #expect(empty.user == "osuser" && empty.hosts == ["e"] && empty.ports == [5433])
  }

  @Test("finds the directory that holds the socket")
  func socket() throws {
    let folder = try ScratchFolder()
    try folder.write(".s.PGSQL.5433", "")
    var sources = sources()
    sources.socketDirectories = ["/nonexistent", folder.path]
    #expect(try sources.resolve().options.hosts == ["localhost"])
    #expect(try sources.resolve(iri: "port=5433").options.hosts == [folder.path])
    let list = try sources.resolve(iri: "host=a,,b port=1,5433,2").options
    #expect(list.hosts == ["a", folder.path, "b"])
  }

  @Test("takes PGKIT_IRI in place of an IRI, not beside one")
  func variable() throws {
    let sources = sources(["PGKIT_IRI": "pq://u:s3cret@h/d", "PGUSER": "x", "PGPORT": "7"])
    let resolved = try sources.resolve()
    #expect(place("user", resolved) == "u environment PGKIT_IRI")
    #expect(resolved.options.ports == [7])
    #expect(try sources.resolve(iri: "pq://elsewhere").options.password == nil)
    let error = #expect(throws: PGError.self) {
      try self.sources(["PGKIT_IRI": "pq://u:s3cr@et@h"]).resolve()
    }
    #expect(error?.message.hasPrefix("PGKIT_IRI") == true)
    #expect(error?.report.contains("s3cr") == false)
  }

  @Test("does not take one source's address for another source's host")
  func places() throws {
    let options = try sources(["PGHOSTADDR": "10.0.0.1", "PGPORT": "9"])
      .resolve(iri: "pq://other").options
    #expect(options.hosts == ["other"] && options.hostAddresses == nil && options.ports == [9])
    let socket = try sources(["PGHOST": "h", "PGPORT": "9"]).resolve(iri: "pq://[unix:/x/s]")
    #expect(try socket.options.validated().endpoints() == [.unix(path: "/x/s")])
  }

  @Test(
    "refuses a variable that cannot be, naming it",
    arguments: [
      ("PGSSLMODE", "full"), ("PGSSLMODE", ""), ("PGPORT", "x"), ("PGPORT", "0"),
      ("PGCONNECT_TIMEOUT", "soon"), ("PGREQUIREPEER", "postgres"), ("PGGSSENCMODE", "require"),
      ("PGREQUIRESSL", "perhaps"), ("PGSSLCERTMODE", "require"), ("PGCHANNELBINDING", "x"),
      ("PGTARGETSESSIONATTRS", "x"), ("PGMAXPROTOCOLVERSION", "4"),
    ])
  func invalidVariables(name: String, value: String) {
    let error = #expect(throws: PGError.self) { try sources([name: value]).resolve() }
    #expect(error?.message.contains(name) == true, "\(error?.message ?? "")")
  }

  @Test(
    "gives every security variable its effect",
    arguments: [
      ("PGSSLMODE", "verify-full", "sslmode=verify-full"), ("PGREQUIRESSL", "1", "sslmode=require"),
      ("PGSSLNEGOTIATION", "direct", "sslnegotiation=direct"), ("PGSSLCERT", "c", "sslcert=c"),
      ("PGSSLKEY", "k", "sslkey=k"), ("PGSSLROOTCERT", "r", "sslrootcert=r"),
      ("PGSSLCRL", "l", "sslcrl=l"), ("PGSSLCRLDIR", "d", "sslcrldir=d"),
      ("PGSSLSNI", "0", "sslsni=0"), ("PGSSLCERTMODE", "disable", "sslcertmode=disable"),
      ("PGSSLMINPROTOCOLVERSION", "TLSv1.3", "ssl_min_protocol_version=TLSv1.3"),
      ("PGSSLMAXPROTOCOLVERSION", "TLSv1.3", "ssl_max_protocol_version=TLSv1.3"),
      ("PGCHANNELBINDING", "require", "channel_binding=require"),
      ("PGREQUIREAUTH", "scram-sha-256", "require_auth=scram-sha-256"),
      ("PGPASSWORD", "p", "password=p"), ("PGPASSFILE", "/f", "passfile=/f"),
    ])
  func securityVariables(name: String, value: String, expected: String) throws {
    let options = try EnvironmentOptions.parse(prefix: "PG") { $0 == name ? value : nil }
    #expect(KeywordString.format(options) == expected)
  }

  @Test("lets PGSSLMODE win over the old PGREQUIRESSL, whose 0 says nothing")
  func requireSSL() throws {
    let both = ["PGREQUIRESSL": "1", "PGSSLMODE": "allow"]
    #expect(try sources(both).resolve().options.sslMode == .allow)
    #expect(try sources(["PGREQUIRESSL": "0"]).resolve().options.sslMode == nil)
  }

  @Test("sends PGTZ, PGDATESTYLE and PGGEQO as settings, unless they say default")
  func settingVariables() throws {
    let environment = ["PGTZ": "Asia/Tokyo", "PGDATESTYLE": "SQL, DMY", "PGGEQO": "off"]
    let resolved = try sources(environment).resolve(iri: "pq://h?TimeZone=UTC")
    #expect(place("TimeZone", resolved) == "UTC iri IRI")
    #expect(place("datestyle", resolved) == "SQL, DMY environment PGDATESTYLE")
    #expect(place("geqo", resolved) == "off environment PGGEQO")
    #expect(resolved.options.settings.count == 3)
    #expect(
      try sources(environment).resolve().options.startupParameters().contains {
        $0 == ("timezone", "Asia/Tokyo")
      })
    for word in ["default", "DEFAULT", ""] {
      let silent = ["PGTZ": word, "PGDATESTYLE": word, "PGGEQO": word]
      #expect(try sources(silent).resolve().options.settings.isEmpty)
    }
    let other = try sources(["PG_SOURCE_TZ": "UTC", "PGTZ": "x"], prefix: "PG_SOURCE_").resolve()
    #expect(place("timezone", other) == "UTC environment PG_SOURCE_TZ")
  }

  @Test("reads other variables under another prefix")
  func prefix() throws {
    let environment = ["PG_SOURCE_USER": "a", "PGUSER": "b", "PG_SOURCE_SSLMODE": "require"]
    let resolved = try sources(environment, prefix: "PG_SOURCE_").resolve()
    #expect(place("user", resolved) == "a environment PG_SOURCE_USER")
    #expect(resolved.options.sslMode == .require)
  }

  @Test("looks for a service in the user's file, then in the system's")
  func services() throws {
    let folder = try ScratchFolder()
    try folder.write("home/.pg_service.conf", "[a]\nhost=own\n")
    try folder.write("etc/pg_service.conf", "[a]\nhost=late\n[b]\nhost=system\n")
    let environment = ["PGSYSCONFDIR": folder.path + "/etc"]
    let sources = sources(environment, home: folder.path + "/home")
    #expect(try sources.resolve(iri: "service=a").options.hosts == ["own"])
    #expect(try sources.resolve(iri: "service=b").options.hosts == ["system"])
    let error = #expect(throws: PGError.self) { try sources.resolve(iri: "service=c") }
    #expect(error?.code == .serviceDoesNotExistError)
    #expect(error?.hint?.contains(folder.path + "/etc/pg_service.conf") == true)
    let file = try folder.write("third.conf", "[c]\nhost=third\n")
    let third = try sources.resolve(iri: "postgres://?service=c&servicefile=\(file)").options
    #expect(third.hosts == ["third"])
    #expect(throws: PGError.self) { try sources.resolve(iri: "service=c servicefile=/missing") }
  }

  @Test("finds the files of TLS and passwords only if they are there")
  func files() throws {
    let folder = try ScratchFolder()
    for (mode, isNeeded) in [("prefer", false), ("require", false), ("verify-ca", true)] {
      let options = try sources(home: folder.path).resolve(iri: "sslmode=\(mode)").options
      // Where nothing goes without it, the place that it must be at is told.
      let wanted = isNeeded ? folder.path + "/.postgresql/root.crt" : nil
      #expect(options.sslRootCertificate == wanted)
    }
    for name in ["root.crt", "root.crl", "postgresql.crt", "postgresql.key"] {
      try folder.write(".postgresql/\(name)", "")
    }
    try folder.write(".pgpass", "*:*:*:*:p")
    let options = try sources(home: folder.path).resolve().options
    #expect(options.sslRootCertificate == folder.path + "/.postgresql/root.crt")
    #expect(options.sslRevocationList == folder.path + "/.postgresql/root.crl")
    #expect(options.sslCertificate == folder.path + "/.postgresql/postgresql.crt")
    #expect(options.sslKey == folder.path + "/.postgresql/postgresql.key")
    #expect(options.passwordFile == folder.path + "/.pgpass")
    let off = try sources(["PGSSLMODE": "disable"], home: folder.path).resolve().options
    #expect(off.sslCertificate == nil && off.sslRootCertificate == nil)
  }

  @Test(
    "takes the list of revoked certificates only together with a file of root certificates",
    arguments: [
      ("sslmode=require", false), ("sslmode=prefer", false), ("sslmode=verify-ca", true),
      ("sslmode=require sslrootcert=/some.crt", true), ("sslrootcert=system", false),
      ("sslmode=require sslrootcert=''", false),
    ])
  func revocationList(iri: String, isTaken: Bool) throws {
    let folder = try ScratchFolder()
    let list = try folder.write(".postgresql/root.crl", "")
    let options = try sources(home: folder.path).resolve(iri: iri).options
    #expect(options.sslRevocationList == (isTaken ? list : nil))
    // One that was named is never passed over.
    let named = try sources(home: folder.path).resolve(iri: iri + " sslcrl=/my.crl").options
    #expect(named.sslRevocationList == "/my.crl")
    if iri == "sslmode=require" { #expect(try TLSTrust(options).roots == .unchecked) }
  }

  @Test("warns of a password file that will be ignored")
  func warnings() throws {
    let folder = try ScratchFolder()
    let file = try folder.write(".pgpass", "*:*:*:*:p", mode: 0o644)
    #expect(try sources(home: folder.path).resolve().warnings.count == 1)
    #expect(try sources(["PGPASSFILE": file]).resolve().warnings.count == 1)
    #expect(try sources(["PGPASSWORD": "x"], home: folder.path).resolve().warnings.isEmpty)
  }

  @Test("reads this process's own sources")
  func standard() throws {
    let options = try OptionSources.standard(iri: "pq://u@h:7/d")
    #expect(options.user == "u" && options.hosts == ["h"] && options.ports == [7])
    #expect(OptionSources().userName()?.isEmpty == false)
  }
}
