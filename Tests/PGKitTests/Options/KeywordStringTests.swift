import Testing

@testable import PGKit

@Suite struct KeywordStringTests {
  @Test(
    "reads libpq's quoting",
    arguments: [
      ("", ""), ("  \t\n", ""), ("user=a", "a"), (" user = a ", "a"), ("user='a b'", "a b"),
      (#"user='a\'b\\c'"#, #"a'b\c"#), (#"user=a\ b"#, "a b"), (#"user=a\"#, "a"),
      ("user=''", ""), ("user=a user=b", "b"), ("user\n=\n'a'dbname=x", "a"),
      ("user=a'b'", "a'b'"), (#"user='\a'"#, "a"), ("user= dbname=x", "dbname=x"),
    ])
  func reads(text: String, user: String) throws {
    #expect(try KeywordString.parse(text).user ?? "" == user)
  }

  @Test(
    "refuses what libpq refuses",
    arguments: ["user", "user a=b", "user='a", #"user='a\'"#, "=a", "usr=a", "user=a b", "port=x"])
  func refuses(text: String) {
    #expect(throws: PGError.self) { try KeywordString.parse(text) }
  }

  @Test("does not repeat a password that was not quoted")
  func secrets() {
    for text in ["password=a s3cret", "password=a s3cret=b", "password=a b s3cret=c"] {
      let error = #expect(throws: PGError.self) { try KeywordString.parse(text) }
      #expect(error?.report.contains("s3cret") == false, "\(error?.report ?? "")")
      #expect(error?.hint?.contains("single quotes") == true)
    }
  }

  @Test("reads back what it wrote")
  func roundTrip() throws {
    var numbers = OptionSeed(state: 3)
    for _ in 0..<1000 {
      let options = ConnectionOptions.random(&numbers, withSettings: false)
      let text = KeywordString.format(options)
      #expect(try KeywordString.parse(text) == options, "\(text)")
    }
  }

  @Test("is told from an IRI by its first sign")
  func dispatch() throws {
    #expect(try ConnectionOptions.parse("service=prod").service == "prod")
    #expect(try ConnectionOptions.parse("host=a port=1").hosts == ["a"])
    #expect(try ConnectionOptions.parse("pq://h?a=b").hosts == ["h"])
    #expect(try ConnectionOptions.parse("h/d?a=b").database == "d")
    #expect(try ConnectionOptions.parse("").hosts == nil)
  }
}
