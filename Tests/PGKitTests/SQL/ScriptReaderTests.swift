import Testing

@testable import PGKit

@Suite("Script reader") struct ScriptReaderTests {
  @Test("says where each statement begins, in bytes") func offsets() throws {
    var reader = ScriptReader("é; -- x\n  SELECT 1;")
    #expect(try reader.next()?.offset == 0)
    #expect(try reader.next()?.offset == 11)
    #expect(try reader.next() == nil)
  }

  @Test(
    "takes the data behind a COPY, up to its end mark or the script's",
    arguments: [
      ("1\n2\n\\.\nSELECT 1", "1\n2\n", 1), ("1\n2\n", "1\n2\n", 0), ("", "", 0),
      ("1\r\n\\.\r\nSELECT 1", "1\r\n", 1), ("\\.\n", "", 0),
      ("a;b'\n\\.x\n\\.\n", "a;b'\n\\.x\n", 0),
    ])
  func copyData(rest: String, data: String, statements: Int) throws {
    var reader = ScriptReader("COPY t FROM STDIN; -- data follows\n" + rest)
    #expect(try reader.next()?.streamCopy == .fromProgram)
    #expect(try reader.takeCopyData().elementsEqual(data.utf8))
    var count = 0
    while try reader.next() != nil { count += 1 }
    #expect(count == statements)
  }

  @Test("refuses a statement on the line of a COPY with data") func crowdedLine() throws {
    var reader = ScriptReader("COPY t FROM STDIN; SELECT 1;\n1\n\\.\n")
    _ = try reader.next()
    #expect(throws: PGError.self) { () throws in _ = try reader.takeCopyData() }
  }

  @Test("passes over what pg_dump says to psql alone") func restrictions() throws {
    var reader = ScriptReader("--\n-- dump\n\\restrict abc'\n\nSET x = 1;\n\\unrestrict abc'\n")
    #expect(try reader.next()?.text == "SET x = 1")
    #expect(try reader.next() == nil)
  }

  @Test("reads strings as the setting is when they come") func changingStrings() throws {
    var reader = ScriptReader("SELECT 'a\\';SELECT 'b\\';';")
    #expect(try reader.next()?.text == "SELECT 'a\\'")
    #expect(try reader.next(standardConformingStrings: false)?.text == "SELECT 'b\\';'")
  }

  @Test("after an error, stands where the token begins that has no end") func errorOffset() {
    var reader = ScriptReader("SELECT 1;\n  'abc")
    _ = try? reader.next()
    #expect(throws: PGError.self) { () throws in _ = try reader.next() }
    #expect(reader.offset == 12)
  }
}
