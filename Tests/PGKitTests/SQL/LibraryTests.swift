import Foundation
import Testing

@testable import PGKit

@Suite("Library") struct LibraryTests {
  @Test("reads what py-postgresql reads")
  func vectors() throws {
    let cases = try RecordedCase.all("misc").filter { $0.op == "ilf_parse" }
    #expect(cases.count == 5)
    for vector in cases {
      let text = try #require(vector.input as? String)
      guard let output = vector.expected as? [String: Any] else {
        // py-postgresql fails without saying why; PGKit says.
        let error = try #require(throws: PGError.self) { try Library(text) }
        #expect(error.code == .loadError)
        #expect(error.message == "a library, line 2: there is no section [zz] above that line")
        continue
      }
      let library = try Library(text)
      #expect(library.preface == output["preface"] as? String)
      #expect(
        library.symbols.filter { $0.kind == .preload }.map(\.name) == output["preload"] as? [String]
      )
      let symbols = try #require(output["symbols"] as? [String: [String: Any]])
      #expect(Set(library.symbols.map(\.name)) == Set(symbols.keys))
      for (name, wanted) in symbols {
        let symbol = try #require(library[name])
        #expect(symbol.sql == wanted["sql"] as? String, "\(name)")
        let method = (wanted["method"] as? String).flatMap { QuerySymbol.Method(rawValue: $0) }
        #expect(symbol.method == method ?? .all)
        let kind = (wanted["type"] as? String).flatMap { QuerySymbol.Kind(rawValue: $0) }
        let isPreload = (output["preload"] as? [String])?.contains(name) == true
        #expect(symbol.kind == kind ?? (isPreload ? .preload : .static), "\(name)")
        #expect(symbol.isReference == wanted["reference"] as? Bool)
      }
    }
  }

  @Test("keeps the comment below a head as documentation, and the line of the head")
  func documentation() throws {
    let library = try Library("two\nlines\n[q::rows]\n--  All of it.\n--Really.\nSELECT 1\n-- no\n")
    let symbol = try #require(library["q"])
    #expect(symbol.documentation == "All of it.\nReally.")
    #expect(symbol.line == 3)
    #expect(symbol.sql.hasSuffix("SELECT 1\n-- no\n"))
    #expect(symbol.method == .rows)
  }

  @Test("takes only a name in brackets for a head, with line ends of either kind")
  func heads() throws {
    let library = try Library("[q]\r\nSELECT (ARRAY[1])\n[1]\n  [x]\n[ a b : const ]\nSELECT 2")
    #expect(library.symbols.map(\.name) == ["q", "a b"])
    #expect(library["q"]?.sql == "SELECT (ARRAY[1])\n[1]\n  [x]\n")
    #expect(library["a b"]?.kind == .const)
  }

  @Test("of two queries with one name the last counts, and includes what stood above it")
  func twice() throws {
    let library = try Library("[a]\nSELECT 1\n[a]\n*[a] UNION SELECT 2\n")
    #expect(library.symbols.count == 1)
    #expect(library["a"]?.sql == "SELECT 1\n UNION SELECT 2\n")
    #expect(library["b"] == nil)
  }

  @Test("what sections include does not grow without end")
  func doubling() throws {
    var text = "[a0]\n\(String(repeating: "x", count: 1000))\n"
    for number in 1...20 { text += "[a\(number)]\n*[a\(number - 1)]\n*[a\(number - 1)]\n" }
    let error = try #require(throws: PGError.self) { try Library(text) }
    #expect(error.message.hasPrefix("a library, line ") && error.message.contains("1048576"))
  }

  @Test(
    "says which word of which line it does not know",
    arguments: [
      ("[a:nope]\n", "line 1: \"nope\" is no kind of a query"),
      ("\n[a::all:x]\n[b:const:nope]\n", "line 3: \"nope\" is no method of a query"),
      ("[a]\n*[b]\n[b]\n", "line 2: there is no section [b] above that line"),
    ])
  func mistakes(text: String, message: String) throws {
    let error = try #require(throws: PGError.self) { try Library(text, name: "staff") }
    #expect(error.code == .loadError)
    #expect(error.message == "library staff, \(message)")
    #expect(error.hint != nil)
  }
}
