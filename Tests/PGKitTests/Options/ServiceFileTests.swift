import PGErrorCodes
import Testing

@testable import PGKit

@Suite struct ServiceFileTests {
  private let text = """
    # comment
    [other]
    host=wrong

    [prod]
      host=db1,db2
    dbname = spaced
    user=me
    user=second
    port=1,2
    password=a=b
    [prod]
    host=late
    """

  @Test("reads the first section of the name, first line first")
  func section() throws {
    // As in libpq, blanks around "=" are not taken away, so this line names no option.
    let clean = text.replacing("dbname = spaced", with: "dbname=d\r")
    let options = try #require(
      try ServiceFile.parse(clean, service: "prod", path: "/f"))
    #expect(options.hosts == ["db1", "db2"] && options.ports == [1, 2] && options.user == "me")
    #expect(options.database == "d" && options.password == "a=b")
    #expect(options.settings.isEmpty)
    #expect(try ServiceFile.parse(clean, service: "pro", path: "/f") == nil)
    #expect(try ServiceFile.parse("", service: "prod", path: "/f") == nil)
  }

  @Test(
    "names the line that cannot be",
    arguments: [
      ("nothing", "line 2"), ("dbname = spaced", "line 2"), ("service=x", "line 2"),
      ("servicefile=x", "line 2"), ("sslmod=require", "sslmode"), ("sslfoo=1", "sslfoo"),
      ("port=x", "line 2"), ("sslmode=x", "allowed is"), ("ldap://x", "LDAP"), ("=x", "line 2"),
      ("user=\0", "NUL"),
    ])
  func faults(line: String, named: String) {
    let error = #expect(throws: PGError.self) {
      try ServiceFile.parse("[s]\n\(line)", service: "s", path: "/f")
    }
    #expect(error?.report.contains(named) == true, "\(error?.report ?? "")")
    #expect(error?.message.contains("/f") == true)
  }

  @Test(
    "takes a key that is no option for a mistake, and never for a server setting",
    arguments: [
      ("hosst=db1", "Perhaps \"host\" is meant."), ("dbname = d", "no blanks around \"=\""),
      ("work_mem=4MB", "options=-c name=value"), ("=x", "options=-c name=value"),
    ])
  func unknownKeys(line: String, remedy: String) {
    let error = #expect(throws: PGError.self) {
      try ServiceFile.parse("[s]\nport=1\n\(line)", service: "s", path: "/f")
    }
    #expect(error?.message.hasPrefix("syntax error in service file \"/f\", line 3: ") == true)
    #expect(error?.hint?.contains(remedy) == true, "\(error?.report ?? "")")
  }
}
