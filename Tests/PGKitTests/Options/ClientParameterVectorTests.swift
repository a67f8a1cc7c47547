import Foundation
import Testing

@testable import PGKit

/// py-postgresql's recorded way of gathering options.
///
/// Each deviation is named with its reason.
@Suite struct ClientParameterVectorTests {
  private static let different: [String: String] = [
    // The address is kept beside the name; it is what is connected to all the same.
    "collect {environ: {PGHOST: h, PGHOSTADDR: 1.2.3.4}, flags: {no_defaults: 1}}":
      "{host: h, hostaddr: 1.2.3.4}",
    // Variables that came with later versions of libpq count.
    "collect {environ: {PGAPPNAME: a, PGSSLCERT: c, PGSSLCRL: l, PGSSLROOTCERT: r}, "
      + "flags: {no_defaults: 1}}":
      "{application_name: a, sslcert: c, sslcrl: l, sslrootcert: r}",
    // Names and addresses are told apart when they are looked up.
    "connector_kind {host: 1, port: 1, user: u}": "tcp",
    // There is a default port.
    "connector_kind {host: h, user: u}": "tcp",
  ]
  /// What nobody knows is an error.
  private static let refused: Set<String> = ["connector_kind {bogus: 3, host: h, port: 1, user: u}"]

  @Test("gathers as py-postgresql does, but for the deviations that are named")
  func vectors() throws {
    var deviations = Set(Self.different.keys).union(Self.refused)
    let cases = try RecordedCase.all("clientparams")
    #expect(cases.count == 28)
    for vector in cases {
      deviations.remove(vector.name)
      let fails = vector.fails && Self.different[vector.name] == nil
      if fails || Self.refused.contains(vector.name) {
        #expect(throws: PGError.self, "\(vector.name)") { try outcome(vector) }
      } else {
        let expected = Self.different[vector.name] ?? Self.expectation(vector)
        #expect(try outcome(vector) == expected, "\(vector.name)")
      }
    }
    #expect(deviations.isEmpty, "\(deviations)")
  }

  private static func expectation(_ vector: RecordedCase) -> String {
    switch vector.op {
    case "connector_kind": return "tcp"
    case "startup_parameters":
      let pairs = vector.expected as? [[String]] ?? []
      return pairs.map { $0.joined(separator: "=") }.sorted().joined(separator: " ")
    case "resolve_password":
      var fields = vector.expected as? [String: Any] ?? [:]
      if fields["password"] is NSNull { fields["password"] = nil }
      return RecordedCase.describe(fields)
    default: return RecordedCase.describe(vector.expected)
    }
  }

  private func outcome(_ vector: RecordedCase) throws -> String {
    switch vector.op {
    case "collect": return try collected(vector.fields)
    case "options": return try commandLine(vector.fields)
    case "resolve_password": return try passwordResolved(vector.fields)
    case "resolve_password_stdin":
      var parameters = try #require(vector.fields["params"] as? [String: Any])
      #expect(parameters.removeValue(forKey: "prompt_password") as? Bool == true)
      parameters["password"] = nil
      let answer = try #require(vector.fields["stdin"] as? String)
      let iri = ConnectionIRI.format(try ConnectionIRIVectorTests.options(parameters))
      let line = try CommandLineOptions.parse(["-W", "-I", iri])
      return ConnectionIRIVectorTests.describe(line.answering(answer))
    case "normalize": return try normalized(vector)
    case "connector_kind":
      let endpoint = try ConnectionIRIVectorTests.options(vector.fields).validated().endpoints()[0]
      if case .tcp = endpoint { return "tcp" }
      return "unix"
    case "startup_parameters":
      let parameters = try ConnectionIRIVectorTests.options(vector.fields).startupParameters()
      // The encoding is always asked for here.
      return parameters.filter { $0.name != "client_encoding" }.map { "\($0.name)=\($0.value)" }
        .sorted().joined(separator: " ")
    default:
      let options = try ConnectionIRIVectorTests.options(vector.fields)
      return ConnectionIRI.format(options, obscuringPassword: true)
    }
  }

  private func collected(_ fields: [String: Any]) throws -> String {
    let folder = try ScratchFolder()
    let own = try folder.write("own.conf", "[mine]\nuser=me\n[myserv]\nuser=override\n")
    try folder.write("system/pg_service.conf", "[myserv]\nuser=system\n")
    var environ = try #require(fields["environ"] as? [String: String])
    if environ["PGSERVICEFILE"] == "USERSVC" { environ["PGSERVICEFILE"] = own }
    if environ["PGSYSCONFDIR"] == "SVC" { environ["PGSYSCONFDIR"] = folder.path + "/system" }
    let flags = fields["flags"] as? [String: Any] ?? [:]
    let base = try ConnectionIRIVectorTests.options(flags["parameters"] as? [String: Any] ?? [:])
    let sources = OptionSources(
      environment: { [environ] in environ[$0] }, homeDirectory: nil, userName: nil)
    let entries = try sources.resolve().entries.filter {
      $0.source != .builtIn && !$0.name.hasPrefix("service")
    }
    var found = ConnectionOptions()
    for entry in entries {
      try OptionKeyword[entry.name]?.parse(entry.value, into: &found, place: entry.place)
    }
    return ConnectionIRIVectorTests.describe(base.overlaid(by: found))
  }

  private func commandLine(_ fields: [String: Any]) throws -> String {
    let line = try CommandLineOptions.parse(try #require(fields["argv"] as? [String]))
    let environ = fields["environ"] as? [String: String] ?? [:]
    let environment = try EnvironmentOptions.parse(prefix: "PG") { environ[$0] }
    var parameters = ConnectionIRIVectorTests.describe(environment.overlaid(by: line.options))
    if line.promptsForPassword { parameters = "{prompt_password: 1}" }
    return "{params: \(parameters), rest: \(RecordedCase.describe(line.operands))}"
  }

  private func passwordResolved(_ fields: [String: Any]) throws -> String {
    let folder = try ScratchFolder()
    var options = try ConnectionIRIVectorTests.options(fields)
    options.passwordFile = try folder.write("pgpass", "h:5432:u:u:found\n")
    let endpoint = try #require(try options.endpoints().first)
    options.password = OptionSources.password(for: endpoint, of: options).password
    options.passwordFile = nil
    return ConnectionIRIVectorTests.describe(options)
  }

  /// The recorded key `a` stands for any option; `connect_timeout` is a number too.
  private func normalized(_ vector: RecordedCase) throws -> String {
    var result = ConnectionOptions()
    for pair in try #require(vector.input as? [[Any]]) {
      let path = try #require(pair[0] as? [String])
      var next = ConnectionOptions()
      if path.count == 2 {
        next.setSetting(path[1], to: RecordedCase.describe(pair[1]))
      } else {
        next.connectTimeout = pair[1] as? Int
      }
      result = result.overlaid(by: next)
    }
    return ConnectionIRIVectorTests.describe(result).replacing("connect_timeout", with: "a")
  }
}
