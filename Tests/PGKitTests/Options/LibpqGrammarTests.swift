import Testing

@testable import PGKit

/// What libpq makes of connection URIs.
///
/// The cases are those of libpq's own regression test and of
/// the manual's examples.
@Suite struct LibpqGrammarTests {
  @Test(
    "reads what libpq reads",
    arguments: [
      (
        "postgresql://uri-user:secret@host:12345/db",
        "user=uri-user password=secret dbname=db host=host port=12345"
      ),
      ("postgresql://uri-user@host:12345/db", "user=uri-user dbname=db host=host port=12345"),
      ("postgresql://uri-user@host/db", "user=uri-user dbname=db host=host"),
      ("postgresql://host:12345/db", "dbname=db host=host port=12345"),
      ("postgresql://host/db", "dbname=db host=host"),
      ("postgresql://uri-user@host:12345/", "user=uri-user host=host port=12345"),
      ("postgresql://uri-user@", "user=uri-user"),
      ("postgresql://host:12345", "host=host port=12345"),
      ("postgresql://host/", "host=host"),
      ("postgresql://", ""),
      ("postgresql://?hostaddr=127.0.0.1", "hostaddr=127.0.0.1"),
      ("postgresql://example.com?hostaddr=63.1.2.4", "host=example.com hostaddr=63.1.2.4"),
      ("postgresql://%68ost/", "host=host"),
      ("postgresql://host/db?user=uri-user", "user=uri-user dbname=db host=host"),
      (
        "postgresql://host/db?u%73er=someotheruser&port=12345",
        "user=someotheruser dbname=db host=host port=12345"
      ),
      ("postgresql://host:12345?user=uri-user", "user=uri-user host=host port=12345"),
      ("postgresql://host?", "host=host"),
      ("postgresql://[::1]:12345/db", "dbname=db host=::1 port=12345"),
      ("postgresql://[::1]/db", "dbname=db host=::1"),
      ("postgresql://[2001:db8::1234]/", "host=2001:db8::1234"),
      ("postgresql://[200z:db8::1234]/", "host=200z:db8::1234"),
      ("postgresql://[::1]", "host=::1"),
      ("postgres://", ""), ("postgres:///", ""), ("postgres:///db", "dbname=db"),
      ("postgres://uri-user@/db", "user=uri-user dbname=db"),
      ("postgres://?host=/path/to/socket/dir", "host=/path/to/socket/dir"),
      ("postgres://@host", "host=host"), ("postgres://host:/", "host=host"),
      ("postgres://:12345/", "port=12345"),
      (
        "postgres://otheruser@:12345/db?host=/path/to/socket",
        "user=otheruser dbname=db host=/path/to/socket port=12345"
      ),
      ("postgres://%2Fvar%2Flib%2Fpostgresql/dbname", "dbname=dbname host=/var/lib/postgresql"),
      ("postgres://host1:123,host2:456/d", "dbname=d host=host1,host2 port=123,456"),
      ("postgres://host1,host2/d", "dbname=d host=host1,host2 port=5432,5432"),
      ("postgres://[::1],b:7", "host=::1,b port=5432,7"),
      ("postgres://a,b?port=9", "host=a,b port=9"),
      ("postgres://h/a/b%2Fc?application_name=x%20y", "dbname=a/b/c host=h application_name='x y'"),
      ("postgres://h?ssl=true", "host=h sslmode=require"),
      ("postgres://h?requiressl=1", "host=h sslmode=require"),
      ("postgres://a?host=b", "host=b"), ("postgres://u:@h", "user=u host=h"),
      ("postgres://h/d#f", "dbname=d#f host=h"), ("postgres://h?dbname=a&", "dbname=a host=h"),
    ])
  func reads(text: String, expected: String) throws {
    #expect(try KeywordString.format(ConnectionIRI.parse(text)) == expected)
  }

  @Test(
    "refuses what libpq refuses, at the same place",
    arguments: [
      ("postgresql://host/db?u%7aer=someotheruser&port=12345", "\"uzer\" in the IRI at byte 22"),
      ("postgresql://host?uzer=", "\"uzer\" in the IRI"),
      ("postgre://", "scheme is not known"),
      ("postgres://[::1", "no matching \"]\""),
      ("postgres://[]", "brackets are empty"),
      ("postgres://[::1]z", "byte 17"),
      ("postgresql://host?zzz", "\"=\" is missing"),
      ("postgresql://host?value1&value2", "byte 19: \"=\" is missing"),
      ("postgresql://host?key=key=value", "second \"=\""),
      ("postgres://host?dbname=%XXfoo", "byte 24"),
      ("postgresql://a%00b", "NUL"),
      ("postgresql://%zz", "byte 14"), ("postgresql://%1", "byte 14"),
      ("postgresql://%", "byte 14"),
      ("postgres://h?ssl=false", "\"ssl\""), ("postgres://h?&user=a", "\"=\" is missing"),
      ("postgres://h/a b", "%20"), ("postgres://h/%e9", "UTF-8"),
      ("postgres://h:x", "\"port\""), ("postgres://h:0", "\"port\""),
      ("postgres://h:65536", "\"port\""), ("postgres://h?port=1,x", "\"port\""),
      ("postgres://h?sslmode=full", "\"prefer\""),
      ("postgres://h?connect_timeout=soon", "\"connect_timeout\""),
      ("postgres://h?gssencmode=require", "GSSAPI"),
      ("postgres://h?requirepeer=postgres", "\"requirepeer\""),
      ("postgres://h?sslcertmode=require", "\"sslcertmode\""),
    ])
  func refuses(text: String, message: String) {
    let error = #expect(throws: PGError.self, "\(text)") { try ConnectionIRI.parse(text) }
    #expect(error?.code == .clientParameterError)
    #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
  }

  @Test("leaves aside what makes nothing less safe")
  func ignores() throws {
    let text =
      "postgres://h?gssencmode=prefer&krbsrvname=x&gsslib=gssapi&gssdelegation=1&sslcompression=1"
      + "&sslkeylogfile=/x&oauth_issuer=a&oauth_client_id=b&oauth_client_secret=c&oauth_scope=d"
    #expect(try KeywordString.format(ConnectionIRI.parse(text)) == "host=h")
  }
}
