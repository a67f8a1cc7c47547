import Testing

@testable import PGKit

@Suite struct OptionKeywordTests {
  /// The keywords of libpq 18.
  private static let libpq = """
    service servicefile user password passfile channel_binding connect_timeout dbname host hostaddr \
    port client_encoding options application_name fallback_application_name keepalives \
    keepalives_idle keepalives_interval keepalives_count tcp_user_timeout sslmode sslnegotiation \
    sslcompression sslcert sslkey sslcertmode sslpassword sslrootcert sslcrl sslcrldir sslsni \
    requirepeer require_auth min_protocol_version max_protocol_version ssl_min_protocol_version \
    ssl_max_protocol_version gssencmode krbsrvname gsslib gssdelegation replication \
    target_session_attrs load_balance_hosts scram_client_key scram_server_key sslkeylogfile \
    oauth_issuer oauth_client_id oauth_client_secret oauth_scope requiressl
    """

  @Test("has every keyword of libpq, and no spelling twice")
  func complete() {
    for name in Self.libpq.split(separator: " ") {
      #expect(OptionKeyword[String(name)] != nil, "\(name)")
    }
    let spellings = OptionKeyword.all.flatMap { [$0.name] + $0.aliases }
    #expect(Set(spellings).count == spellings.count)
    let variables = OptionKeyword.all.compactMap(\.variable)
    #expect(Set(variables).count == variables.count)
    #expect(variables.allSatisfy { $0.hasPrefix("PG") })
  }

  @Test("takes its own defaults, which say what was so before")
  func fallbacks() {
    for keyword in OptionKeyword.all {
      guard let fallback = keyword.fallback else { continue }
      var options = ConnectionOptions()
      #expect(keyword.access.parse(fallback, &options) == nil, "\(keyword.name)")
      #expect(keyword.access.format(options) == fallback)
    }
  }

  @Test("is read where it was written, and nowhere else")
  func places() {
    var numbers = OptionSeed(state: 1)
    var count = 0
    for keyword in OptionKeyword.all {
      var options = ConnectionOptions()
      let text = ConnectionOptions.text(for: keyword, &numbers)
      #expect(keyword.access.parse(text, &options) == nil, "\(keyword.name)")
      // An older spelling of another option, or one that is left aside, has no place.
      guard keyword.access.format(options) != nil else { continue }
      let others = OptionKeyword.all.filter { $0.name != keyword.name }
      #expect(others.allSatisfy { $0.access.format(options) == nil }, "\(keyword.name)")
      var copy = ConnectionOptions()
      keyword.access.copy(options, &copy)
      #expect(copy == options, "\(keyword.name)")
      count += 1
    }
    #expect(count > 30)
  }

  @Test("names option, place and what is allowed, never the value")
  func complaints() {
    for name in ["sslmode", "port", "connect_timeout", "keepalives", "sslsni", "channel_binding"] {
      var options = ConnectionOptions()
      let error = #expect(throws: PGError.self) {
        try OptionKeyword[name]?.parse("s3cret", into: &options, place: "in PGX")
      }
      #expect(error?.message.contains("\"\(name)\" in PGX") == true)
      #expect(error?.message.contains("allowed is") == true)
      #expect(error?.report.contains("s3cret") == false)
      #expect(options == ConnectionOptions())
    }
  }

  @Test("refuses a NUL in any option")
  func nul() {
    for keyword in OptionKeyword.all {
      var options = ConnectionOptions()
      #expect(throws: PGError.self) {
        try keyword.parse("a\0b", into: &options, place: "here")
      }
    }
  }

  @Test("finds the nearest spelling, or none")
  func nearest() {
    #expect(OptionKeyword.nearest(to: "hosts") == "host")
    #expect(OptionKeyword.nearest(to: "sslrotcert") == "sslrootcert")
    #expect(OptionKeyword.nearest(to: "databse") == "database")
    #expect(OptionKeyword.nearest(to: "DBNAME") == "dbname")
    #expect(OptionKeyword.nearest(to: "search_path") == nil)
    #expect(OptionKeyword.nearest(to: String(repeating: "x", count: 100_000)) == nil)
  }
}
