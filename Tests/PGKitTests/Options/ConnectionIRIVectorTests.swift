import Foundation
import Testing

@testable import PGKit

/// py-postgresql's recorded behaviour.
///
/// Each deviation is named by its input, with the reason.
@Suite struct ConnectionIRIVectorTests {
  private static let number = "a port is a number"
  private static let known = "an option that nobody knows is an error"

  /// Inputs that are refused here.
  private static let refused: [String: String] = [
    "parse pq://user:password@host:port/database?setting=value#public,private": number,
    "roundtrip pq://user:password@host:port/database?setting=value#public,private": number,
    "serialize_obscured pq://user:pass@host:port/dbname": number,
    "serialize_obscured pq://user@host:port/dbname": number,
    "serialize {database: database_name, host: , password: secret, port: ssh, settings: "
      + "{set1: val1, set2: val2}, user: user}": number,
    "serialize {connect_timeout: 10, database: database_name, host: , password: secret, "
      + "port: ssh, settings: {set1: val1, set2: val2}, sslmode: prefer, user: user}": number,
    "parse pq://fæᎱᏋm.com/õéf/á?param=val&[setting]=value": known,
    "roundtrip pq://fæᎱᏋm.com/õéf/á?param=val&[setting]=value": known,
    "parse pq://h/db?[a]=1&[a]=2": known,
    "parse pq://h/db?[]=x": known,
    "parse pq://h/db?[sslmode]=require?a=b": "there is no such sslmode",
    "parse pq://u:p@x@h/db": "a piece of a password must not be looked up as a host",
    "parse pq://[::1/db": "an unterminated bracket is a mistake",
    "parse pq://[::1]5432/db": "a forgotten colon must not lose the port",
    "ri_split_netloc [x": "an unterminated bracket is a mistake",
  ]

  /// Inputs with another outcome here.
  private static let different: [String: String] = [
    // The serialiser wrote this scheme, so it is read.
    "parse pqs://host": "{host: host, sslmode: require}",
    // Hosts are decoded like everything else.
    "parse pq://[fe80::1%25eth0]/db": "{database: db, host: fe80::1%eth0}",
    // A path with colons is written as it is.
    "serialize {unix: /run/a:b/.s.PGSQL.5432, user: test}":
      "pq://test@[unix:/run/a:b/.s.PGSQL.5432]",
    // There was an error for no reason.
    "serialize {database: a\\1b, host: h}": "pq://h/a\\1b",
    // Nothing is lost, so that what was written can be read back.
    "serialize {password: p}": "pq://?[password]=p",
    // What follows the database is dropped while reading, not later by `open`.
    "roundtrip pq://fæᎱᏋm.com/õéf/á?param=val": "pq://fæᎱᏋm.com/õéf?param=val",
    // An empty host cannot be written without its brackets.
    "ri_unsplit_netloc [, , , ]": ":@[]",
  ]

  @Test("does what py-postgresql does, but for the deviations that are named")
  func vectors() throws {
    var deviations = Set(Self.refused.keys).union(Self.different.keys)
    let cases = try RecordedCase.all("iri")
    for vector in cases {
      deviations.remove(vector.name)
      let expectsError =
        Self.refused[vector.name] != nil
        || vector.fails && Self.different[vector.name] == nil
      if expectsError {
        #expect(throws: (any Error).self, "\(vector.name)") { try outcome(vector) }
      } else {
        let expected = Self.different[vector.name] ?? Self.expectation(vector)
        #expect(try outcome(vector) == expected, "\(vector.name)")
      }
    }
    #expect(deviations.isEmpty)
    #expect(cases.count == 144)
  }

  private func outcome(_ vector: RecordedCase) throws -> String {
    switch vector.op {
    case "parse": return Self.describe(try ConnectionIRI.parse(vector.text))
    case "roundtrip":
      let options = try ConnectionIRI.parse(vector.text)
      let text = ConnectionIRI.format(options)
      #expect(try ConnectionIRI.parse(text) == options)
      return text
    case "serialize":
      let options = try Self.options(vector.fields)
      let text = ConnectionIRI.format(options)
      #expect(try ConnectionIRI.parse(text) == options)
      return text
    case "serialize_obscured":
      let text = vector.input as? String
      let options = try text.map(ConnectionIRI.parse) ?? Self.options(vector.fields)
      return ConnectionIRI.format(options, obscuringPassword: true)
    default: return try genericOutcome(vector)
    }
  }

  /// The layer under the grammar.
  private func genericOutcome(_ vector: RecordedCase) throws -> String {
    switch vector.op {
    case "ri_unescape": return try PercentEncoding.decodeLeniently(ArraySlice(vector.text.utf8))
    case "ri_split":
      return RecordedCase.describe(Self.split(try vector.text).map { $0 ?? NSNull() as Any })
    case "ri_unsplit_of_split": return Self.unsplit(Self.split(try vector.text))
    case "ri_parse": return try Self.parsed(vector.text)
    case "ri_split_netloc":
      let parts = try Self.authority(ArraySlice(vector.text.utf8), keepsBrackets: true)
      return RecordedCase.describe(parts.map { $0 ?? NSNull() as Any })
    case "ri_unsplit_netloc":
      let parts = try #require(vector.input as? [Any]).map { $0 as? String }
      var options = ConnectionOptions()
      options.user = parts[0]
      options.password = parts[1]
      options.hosts = parts[2].map { [$0] }
      options.ports = parts[3].flatMap { Int($0) }.map { [$0] }
      let text = ConnectionIRI.format(options).dropFirst(5).prefix { $0 != "?" }
      return text.isEmpty ? "null" : String(text)
    default: throw PGError.option("no such op")
    }
  }

  private static func expectation(_ vector: RecordedCase) -> String {
    guard vector.op == "parse", var fields = vector.expected as? [String: Any] else {
      return RecordedCase.describe(vector.expected)
    }
    // Its `open` drops the path; an empty port is none.
    fields["path"] = nil
    if fields["port"] as? String == "" { fields["port"] = nil }
    if var settings = fields["settings"] as? [String: Any] {
      if let path = settings["search_path"] as? [String] {
        settings["search_path"] = SearchPath.format(path)
      }
      fields["settings"] = settings
    }
    return RecordedCase.describe(fields)
  }

  private static let names = ["dbname": "database"]

  static func describe(_ options: ConnectionOptions) -> String {
    var fields: [String: Any] = [:]
    for keyword in OptionKeyword.all {
      fields[names[keyword.name] ?? keyword.name] = keyword.access.format(options)
    }
    if !options.settings.isEmpty {
      fields["settings"] = Dictionary(
        uniqueKeysWithValues: options.settings.map { ($0.name, $0.value) })
    }
    return RecordedCase.describe(fields)
  }

  /// Options from a recorded dictionary of parameters.
  static func options(_ fields: [String: Any]) throws -> ConnectionOptions {
    var options = ConnectionOptions()
    for (name, value) in fields {
      if let settings = value as? [String: Any] {
        for (name, value) in settings.sorted(by: { $0.key < $1.key }) {
          let list = (value as? [String]).map(SearchPath.format)
          options.setSetting(name, to: list ?? RecordedCase.describe(value))
        }
      } else if !(value is NSNull) {
        guard let keyword = OptionKeyword[name] else {
          throw PGError.unknownOption(name, place: "here")
        }
        try keyword.parse(RecordedCase.describe(value), into: &options, place: "here")
      }
    }
    return options
  }

  private static func text(_ piece: ArraySlice<UInt8>?) -> String? {
    piece.map { String(decoding: $0, as: UTF8.self) }
  }

  private static func split(_ input: String) -> [String?] {
    let parts = ResourceIdentifier(ArraySlice(input.utf8))
    return [parts.scheme, parts.authority, parts.path, parts.query, parts.fragment].map(text)
  }

  private static func unsplit(_ parts: [String?]) -> String {
    let marks = [("", "://"), ("", ""), ("/", ""), ("?", ""), ("#", "")]
    return zip(parts, marks).compactMap { part, mark in part.map { mark.0 + $0 + mark.1 } }.joined()
  }

  private static func authority(
    _ text: ArraySlice<UInt8>, keepsBrackets: Bool
  ) throws -> [String?] {
    let parts = ResourceIdentifier.Authority(text)
    func decode(_ piece: ArraySlice<UInt8>?) throws -> String? {
      try piece.map { try PercentEncoding.decodeLeniently($0) }
    }
    guard !parts.hosts.isEmpty else {
      return [try decode(parts.user), try decode(parts.password), nil, nil]
    }
    let host = try ResourceIdentifier.HostAndPort(parts.hosts)
    let name = try decode(host.host) ?? ""
    return [
      try decode(parts.user), try decode(parts.password),
      host.isBracketed && keepsBrackets ? "[\(name)]" : name, try decode(host.port),
    ]
  }

  private static func parsed(_ input: String) throws -> String {
    let parts = ResourceIdentifier(ArraySlice(input.utf8))
    func decode(_ piece: ArraySlice<UInt8>) throws -> String {
      try PercentEncoding.decodeLeniently(piece)
    }
    var fields: [String: Any] = [:]
    fields["scheme"] = text(parts.scheme)
    if let piece = parts.authority {
      let names = ["user", "password", "host", "port"]
      for (name, value) in zip(names, try authority(piece, keepsBrackets: false)) {
        fields[name] = value
      }
    }
    fields["path"] = try parts.path?.split(
      separator: UInt8(ascii: "/"), omittingEmptySubsequences: false
    ).map(decode)
    fields["query"] = try parts.query?.split(separator: UInt8(ascii: "&")).map { item in
      let pair = item.split(separator: UInt8(ascii: "="), maxSplits: 1)
      return [try decode(pair[0]), try pair.count > 1 ? decode(pair[1]) : NSNull()] as [Any]
    }
    fields["fragment"] = try parts.fragment.map(decode)
    return RecordedCase.describe(fields)
  }
}
