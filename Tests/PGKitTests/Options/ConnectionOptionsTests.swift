import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct ConnectionOptionsTests {
  private func options(_ text: String) throws -> ConnectionOptions { try .parse(text) }

  @Test("never shows a secret, however it is printed")
  func secrets() throws {
    var options = try options("pq://u:s3cr%20et@h?[sslpassword]=s3cr%20et")
    options.setSetting("work_mem", to: "1MB")
    var dumped = ""
    dump(options, to: &dumped)
    let texts = [
      "\(options)", String(reflecting: options), dumped, "\([options])",
      String(describing: Optional(options)),
      "\(Mirror(reflecting: options).children.map { "\($0)" })",
      ConnectionIRI.format(options, dialect: .libpq, obscuringPassword: true),
      KeywordString.format(options, obscuringPassword: true),
    ]
    for text in texts {
      #expect(!text.contains("s3cr"), "\(text)")
      #expect(text.contains("***"), "\(text)")
      #expect(text.contains("1MB"), "\(text)")
    }
  }

  @Test("shows no secret of any options")
  func randomSecrets() throws {
    var numbers = OptionSeed(state: 5)
    for _ in 0..<500 {
      var options = ConnectionOptions.random(&numbers, withSettings: true)
      options.password = "QQsecretQQ"
      options.sslPassword = "QQsecretQQ"
      var dumped = ""
      dump(options, to: &dumped)
      #expect(!"\(options)\(dumped)".contains("QQ"))
    }
  }

  @Test(
    "lists the places to try",
    arguments: [
      ("host=a", "a:5432"), ("host=a,b port=1,2", "a:1 b:2"), ("host=a,b port=7", "a:7 b:7"),
      ("host=/run/x port=9", "/run/x/.s.PGSQL.9"), ("host=@x", "@x/.s.PGSQL.5432"),
      ("hostaddr=1.2.3.4", "1.2.3.4:5432"), ("host=a,b hostaddr=1.1.1.1,", "a:5432 b:5432"),
      ("", "localhost:5432"), ("host=''", "localhost:5432"), ("port=3", "localhost:3"),
      ("unix=/x/s", "/x/s"), ("host=::1", "[::1]:5432"), ("host=a port=''", "a:5432"),
      ("host=a,b,c port=1,,3", "a:1 b:5432 c:3"),
    ])
  func endpoints(text: String, expected: String) throws {
    let endpoints = try options(text).endpoints()
    #expect(endpoints.map(\.description).joined(separator: " ") == expected)
  }

  @Test("keeps the name beside the address")
  func addresses() throws {
    #expect(
      try options("host=a,b hostaddr=1.1.1.1,").endpoints() == [
        .tcp(host: "a", address: "1.1.1.1", port: 5432), .tcp(host: "b", address: nil, port: 5432),
      ])
  }

  @Test(
    "refuses lists that do not match",
    arguments: [
      "host=a,b port=1,2,3", "host=a port=1,2", "port=1,2", "host=a,b hostaddr=1.1.1.1",
      "unix=/x host=a", "unix=/x port=1", "unix=''",
    ])
  func mismatches(text: String) throws {
    let options = try options(text)
    let error = #expect(throws: PGError.self) { try options.endpoints() }
    #expect(error?.code == .clientParameterError)
    #expect(throws: PGError.self) { try options.validated() }
  }

  @Test(
    "refuses options that contradict each other",
    arguments: [
      ("sslnegotiation=direct", "sslmode"), ("sslnegotiation=direct sslmode=prefer", "sslmode"),
      ("sslrootcert=system sslmode=require", "verify-full"),
      ("sslrootcert=system sslmode=verify-ca", "verify-full"),
      ("ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2", "ssl_min"),
      ("ssl_max_protocol_version=TLSv1.1", "ssl_min"),
    ])
  func contradictions(text: String, named: String) throws {
    let options = try options(text)
    let error = #expect(throws: PGError.self) { try options.validated() }
    #expect(error?.report.contains(named) == true)
  }

  @Test("says outright what options imply")
  func implications() throws {
    #expect(try options("sslrootcert=system").validated().sslMode == .verifyFull)
    #expect(try options("sslnegotiation=direct sslmode=require").validated().sslMode == .require)
    let bare = try options("sslcert=a sslkey=b sslcertmode=disable").validated()
    #expect(bare.sslCertificate == nil && bare.sslKey == nil)
  }

  @Test("refuses a NUL and a port out of range that were set by hand")
  func handmade() {
    let changes: [(inout ConnectionOptions) -> Void] = [
      { $0.user = "a\0b" }, { $0.password = "\0" }, { $0.hosts = ["a\0"] }, { $0.options = "\0" },
      { $0.applicationName = "x\0user=y" }, { $0.settings = [.init("a", "b\0")] },
      { $0.settings = [.init("a\0", "b")] }, { $0.settings = [.init("", "b")] },
      { $0.settings = [.init("_pq_.x", "b")] }, { $0.ports = [0] }, { $0.ports = [70000] },
      { $0.ports = [-1, .max] },
    ]
    for change in changes {
      var options = ConnectionOptions()
      change(&options)
      #expect(throws: PGError.self) { try options.validated() }
    }
  }

  @Test("says in the startup packet who, where, and every setting once")
  func startup() throws {
    var options = try options("user=u dbname=d application_name=a client_encoding=auto")
    options.settings = [.init("USER", "evil"), .init("Application_Name", "b"), .init("x", "y")]
    let parameters = options.startupParameters().map { "\($0.name)=\($0.value)" }
    let expected = ["user=u", "database=d", "Application_Name=b", "client_encoding=UTF8", "x=y"]
    #expect(parameters == expected)
  }

  @Test("lays one set of options over another, settings one by one")
  func merging() throws {
    let low = try options("pq://u:p@h/d?a=1&b=2")
    let high = try options("pq://x@/?B=3&c=4")
    let both = low.overlaid(by: high)
    #expect(both.user == "x" && both.password == "p" && both.hosts == ["h"])
    #expect(both.settings == [.init("a", "1"), .init("B", "3"), .init("c", "4")])
  }

  @Test(
    "knows the port of an endpoint, also that of a socket with the usual name",
    arguments: [
      (.tcp(host: "h", address: nil, port: 5433), 5433),
      (.unix(path: "/run/é/.s.PGSQL.5432"), 5432), (.unix(path: "@dir/.s.PGSQL.1"), 1),
      (.unix(path: "/run/other.sock"), nil), (.unix(path: "/run/.s.PGSQL.x"), nil),
      (.unix(path: ""), nil),
    ] as [(Endpoint, Int?)])
  func endpointPort(endpoint: Endpoint, want: Int?) {
    #expect(endpoint.port == want)
  }
}
