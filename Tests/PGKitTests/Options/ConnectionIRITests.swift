import Testing

@testable import PGKit

@Suite struct ConnectionIRITests {
  @Test("reads back what it wrote, in both dialects")
  func roundTrip() throws {
    var numbers = OptionSeed(state: 7)
    for _ in 0..<2000 {
      let options = ConnectionOptions.random(&numbers, withSettings: true)
      let text = ConnectionIRI.format(options)
      #expect(try ConnectionIRI.parse(text) == options, "\(text)")
      let bare = ConnectionOptions.random(&numbers, withSettings: false)
      let libpq = ConnectionIRI.format(bare, dialect: .libpq)
      #expect(try ConnectionIRI.parse(libpq) == bare, "\(libpq)")
    }
  }

  @Test("takes any text without trapping, and what it accepts round-trips")
  func adversity() {
    var numbers = OptionSeed(state: 11)
    let pieces = [
      "pq://", "postgres://", "pqs://", "[", "]", "unix:", ":", "/", "@", "?", "#", "&", "=", "%",
      "%2", "%2F", "%00", "%e9", "::1", "a", "5432", "sslmode", "host", ",", " ", "é", "'", "\\",
    ]
    for _ in 0..<20000 {
      let count = Int.random(in: 0...9, using: &numbers)
      let text = (0..<count).map { _ in pieces.randomElement(using: &numbers) ?? "" }.joined()
      guard let options = try? ConnectionIRI.parse(text) else { continue }
      #expect((try? ConnectionIRI.parse(ConnectionIRI.format(options))) == options, "\(text)")
    }
  }

  @Test("reads pqs as pq with TLS")
  func secured() throws {
    #expect(try ConnectionIRI.parse("pqs://h").sslMode == .require)
    #expect(try ConnectionIRI.parse("PQS://h?[sslmode]=verify-full").sslMode == .verifyFull)
    #expect(throws: PGError.self) { try ConnectionIRI.parse("pqs://h?[sslmode]=prefer") }
  }

  @Test("gives a bare key of pq to the server and a bracketed one to the driver")
  func dialects() throws {
    let pq = try ConnectionIRI.parse("pq://h/d?sslmode=require&[connect_timeout]=3#a,B")
    #expect(pq.settings == [.init("sslmode", "require"), .init("search_path", "a,\"B\"")])
    #expect(pq.connectTimeout == 3 && pq.sslMode == nil)
    let libpq = try ConnectionIRI.parse("postgres:///test?host=%2Fx%2Fy&sslmode=require")
    #expect(libpq.hosts == ["/x/y"] && libpq.sslMode == .require && libpq.settings.isEmpty)
  }

  @Test("accepts py-postgresql's spellings beside libpq's")
  func spellings() throws {
    let pq = try ConnectionIRI.parse("pq://?[sslcrtfile]=c&[sslrootcrlfile]=l&[database]=d")
    let libpq = try ConnectionIRI.parse("postgres://?sslcert=c&sslcrl=l&dbname=d")
    #expect(pq == libpq)
  }

  @Test("names an unknown option and the nearest known one")
  func unknown() {
    let error = #expect(throws: PGError.self) {
      try ConnectionIRI.parse("postgres://host?sslmod=require")
    }
    #expect(error?.message.contains("sslmod") == true)
    #expect(error?.hint?.contains("sslmode") == true)
    #expect(error?.code == .clientParameterError)
  }

  @Test(
    "points at the byte and never repeats the password",
    arguments: [
      ("pq://u:s3cr@et@h/db", "byte 15"), ("postgres://u:s3cr@et@h/db", "byte 21"),
      ("pq://u:s3cr/et@h", "byte 8"), ("postgres://u:s3cr/et@h", "byte 14"),
      ("pq://u:s3cr?et@h", "byte 8"), ("postgres://u:s3cr%zzet@h", "byte 18"),
      ("postgres://u:s3cr et@h", "byte 18"), ("pq://u:s3cr%00et@h", "byte 8"),
      ("postgres://h/d?passwd=s3cret@x", "byte 16"),
      ("postgres://h/d?password=s3cr=et", "byte 29"),
      ("postgres://u:12/s3cr?s3cret=@h", "byte 22"), ("pq://h?[port]=s3cret", "byte 8"),
    ])
  func faults(text: String, place: String) {
    let error = #expect(throws: PGError.self, "\(text)") { try ConnectionIRI.parse(text) }
    #expect(error?.message.contains(place) == true, "\(text): \(error?.message ?? "")")
    #expect(error?.report.contains("s3cr") == false, "\(error?.report ?? "")")
    #expect(error?.report.contains("et@") == false)
  }

  @Test(
    "no piece of a password that was not encoded is taken for a host",
    arguments: [
      ("pq://u:s3cr@zq/w:rd@host/db", "byte 20"), ("pq://u:s3cr@zq/x@host", "byte 17"),
      ("postgres://u:s3cr@zq/w:rd@host/db", "byte 26"), ("postgres://u:12/s3cr@zq", "byte 21"),
      ("pq://u:12/s3cr@zq", "byte 15"), ("pq://u:s3cr@zq#w@host", "byte 17"),
      ("postgres://u:s3cr@zq!/d", "byte 21"), ("pq://u:s3cr@zq$w?a=b", "byte 15"),
      ("pq://u:s3cr@zq*@h", "byte 15"), ("postgres://u:s3cr@a,zq+/d", "byte 23"),
      ("pq://u:s3cr@zq w/d", "byte 15"),
    ])
  func leaks(text: String, place: String) {
    let error = #expect(throws: PGError.self, "\(text)") { try ConnectionIRI.parse(text) }
    #expect(error?.message.contains(place) == true, "\(text): \(error?.message ?? "")")
    #expect(error?.message.contains("percent-encoded") == true)
    #expect(error?.hint?.contains("%40") == true)
    #expect(error?.report.contains("s3cr") == false)
    #expect(error?.report.contains("zq") == false)
  }

  @Test("what is percent-encoded may stand anywhere")
  func encoded() throws {
    let options = try ConnectionIRI.parse("pq://u:p@ho%21st/my%40db#a%40b")
    #expect(options.hosts == ["ho!st"] && options.database == "my@db")
    #expect(try ConnectionIRI.parse(ConnectionIRI.format(options)) == options)
    #expect(try ConnectionIRI.parse("postgres://h/my%40db").database == "my@db")
  }

  @Test("says how to write the component that cannot be read")
  func hints() {
    let error = #expect(throws: PGError.self) { try ConnectionIRI.parse("pq://u:a@b@h") }
    #expect(error?.hint?.contains("@ is written %40") == true)
    let port = #expect(throws: PGError.self) { try ConnectionIRI.parse("pq://u:a/b@h") }
    #expect(port?.hint?.contains("%2F") == true)
  }

  @Test("decodes UTF-8 everywhere, and Latin-1 where it is none")
  func decoding() throws {
    let options = try ConnectionIRI.parse("pq://%C3%A9:%e9@%C3%A9/%C3%A9?%C3%A9=%C3%A9#%C3%A9")
    #expect(options.user == "é" && options.password == "é" && options.database == "é")
    #expect(options.hosts == ["é"] && options.settings.first == .init("é", "é"))
  }

  @Test("reads and writes a socket's path, also one with colons")
  func sockets() throws {
    let raw = try ConnectionIRI.parse("pq://u@[unix:/run/a:b/.s.PGSQL.5432]/d")
    #expect(raw.unix == "/run/a:b/.s.PGSQL.5432" && raw.database == "d" && raw.hosts == nil)
    #expect(ConnectionIRI.format(raw) == "pq://u@[unix:/run/a:b/.s.PGSQL.5432]/d")
    #expect(
      try ConnectionIRI.parse("pq://%2Frun%2Fpg:5433").endpoints()
        == [.unix(path: "/run/pg/.s.PGSQL.5433")])
  }

  @Test("writes libpq's dialect with settings as switches")
  func switches() throws {
    var options = ConnectionOptions()
    options.setSetting("search_path", to: "a, b\\c")
    let text = ConnectionIRI.format(options, dialect: .libpq)
    #expect(try ConnectionIRI.parse(text).options == #"-c search_path=a,\ b\\c"#)
  }
}
