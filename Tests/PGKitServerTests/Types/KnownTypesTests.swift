import PGTestCluster
import Testing

@testable import PGKit

/// Types that a connection gets to know, and what Swift makes of their values.
@Suite("Known types", .enabled(if: TestServer.isAvailable, "no PostgreSQL server is installed"))
struct KnownTypesTests {
  private let db: Connection

  init() throws { db = try TestServer.shared.connect() }

  /// Made once: two sessions that make the same one at the same time are in each other's way.
  static let extensionsExist = Result {
    let db = try TestServer.shared.connect()
    for name in ["hstore", "citext", "ltree"] {
      try db.execute("CREATE EXTENSION IF NOT EXISTS \(name)")
    }
  }

  @Test("arrays of Swift: one dimension, several, with NULLs, of bytes, empty")
  func arrays() throws {
    #expect(try db.query.first("SELECT $1::int8[]", [1, 2, 3], as: [Int].self) == [1, 2, 3])
    #expect(
      try db.query.first("SELECT $1::text[]", ["a", nil, "NULL"], as: [String?].self)
        == ["a", nil, "NULL"])
    #expect(
      try db.query.first("SELECT $1::bytea[]", [[1], [2, 3]] as [[UInt8]], as: [[UInt8]].self)
        == [[1], [2, 3]])
    #expect(
      try db.query.first("SELECT $1::int[]", [[1, nil], [3, 4]], as: [[Int?]].self)
        == [[1, nil], [3, 4]])
    #expect(try db.query.first("SELECT $1::int[]", [] as [Int], as: [Int].self) == [])
    #expect(
      try db.query.first("SELECT $1::numeric[]", ["1.50", "NaN"], as: [PGNumeric].self)
        == [try #require(PGNumeric("1.50")), .nan])
    // A Swift array of another depth, or with NULLs where none can be, is told so.
    for sql in ["SELECT '{{1,2}}'::int[]", "SELECT '{1,NULL}'::int[]"] {
      let error = #expect(throws: PGError.self) { try db.query.first(sql, as: [Int].self) }
      #expect(error?.code == .columnError)
    }
    let bounded = try db.query.first("SELECT '[0:1]={5,6}'::int[]", as: PGArray<Int>.self)
    #expect(bounded?.lowerBounds == [0] && bounded?.element(atSubscripts: 1) == 6)
  }

  @Test("ragged arrays, and those too deep, are errors before anything is sent")
  func ragged() throws {
    let ps = try db.prepare("SELECT $1::int[]")
    let generation = db.transactionStatus
    for value in [[[1], [2, 3]], [[], []]] as [[[Int]]] {
      let error = #expect(throws: PGError.self) { try ps(value) }
      #expect(error?.code == .parameterError)
    }
    let deep = #expect(throws: PGError.self) { try ps([[[[[[[1]]]]]]]) }
    #expect(deep?.message.contains("at most 6 dimensions") == true)
    let large = #expect(throws: PGError.self) { try ps([1, 3_000_000_000]) }
    #expect(large?.message.contains("int4") == true && large?.code == .parameterError)
    #expect(db.transactionStatus == generation)
  }

  @Test("a wrong value is told by the parameter, its type and Swift's")
  func wrongValues() throws {
    try db.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok')")
    let ps = try db.prepare("SELECT $1::text, $2::pg_temp.mood[]")
    let error = #expect(throws: PGError.self) { try ps("x", [1]) }
    let name = try #require(db.types.type(ps.pgParameterTypes[1])?.name)
    #expect(name.hasSuffix(".mood[]"))
    #expect(error?.message == "parameter $2 is \(name); Array<Int> is not")
    #expect(try ps("x", ["ok"])[0][1, as: [String].self] == ["ok"])
  }

  @Test("composites within composites, in arrays, as structures and tuples")
  func composites() throws {
    try db.execute(
      """
      CREATE TYPE pg_temp.item AS (name text, price numeric);
      CREATE TYPE pg_temp.basket AS (id int, items pg_temp.item[], first pg_temp.item);
      """)
    struct Item: Codable, Equatable {
      let name: String
      let price: PGNumeric?
    }
    struct Basket: Codable, Equatable {
      let id: Int
      let items: [Item]
      let first: Item?
    }
    struct Answer: Decodable {
      let basket: Basket
    }
    let items: PGArray<PGRecord> = [PGRecord("a", "1.50"), PGRecord("b", nil)]
    let basket = PGRecord(fields: [7, items, nil])
    let row = try #require(try db.query("SELECT $1::pg_temp.basket AS basket", basket).first)
    let record = try row["basket", as: PGRecord.self]
    #expect(record.description == "(7,\"{\"\"(a,1.50)\"\",\"\"(b,)\"\"}\",)")
    let (id, list) = try record.decode((Int, [PGRecord]).self)
    #expect(id == 7 && list.count == 2)
    #expect(try list[0]["name", as: String.self] == "a")
    #expect(try row.decode(as: Answer.self).basket.items.map(\.name) == ["a", "b"])
    #expect(try row.decode(as: Answer.self).basket.items[0].price == PGNumeric("1.50"))
    #expect(try row.decode(as: Answer.self).basket.first == nil)
    // As a dictionary, where an absent value is NULL, and back.
    let named = try db.query.first(
      "SELECT $1::pg_temp.item", ["name": "x"] as [String: PGValue], as: [String: PGValue].self)
    #expect(named == ["name": "x", "price": .null])
    let stranger = #expect(throws: PGError.self) {
      try db.query("SELECT $1::pg_temp.item", ["nome": "x"] as [String: PGValue])
    }
    #expect(stranger?.message.contains("no attribute \"nome\"") == true)
    let short = #expect(throws: PGError.self) {
      try db.query("SELECT $1::pg_temp.item", PGRecord("x"))
    }
    #expect(short?.message.contains("1 value, and the type 2 attributes") == true)
    // A structure, by the names of its members, and an array of them.
    let shop = Basket(id: 3, items: [Item(name: "z", price: PGNumeric("9.99"))], first: nil)
    let encoded = try PGRecord(encoding: shop)
    let again = try #require(try db.query("SELECT $1::pg_temp.basket AS basket", encoded).first)
    #expect(try again.decode(as: Answer.self).basket == shop)
    // A row fills a composite.
    let source = try #require(try db.query("SELECT 'y' AS name, 2.5 AS price").first)
    #expect(
      try db.query.first("SELECT ($1::pg_temp.item).price", source, as: PGNumeric.self)
        == PGNumeric("2.5"))
  }

  @Test("anonymous records, nested, with arrays of records")
  func records() throws {
    let value = try db.query.first(
      "SELECT row(1, 'a', row(true, ARRAY[1, 2]), ARRAY[row(1), row(2)])", as: PGValue.self)
    guard case .record(let record)? = value else { throw Documents.Unexpected() }
    #expect(record.description == "(1,a,\"(t,\"\"{1,2}\"\")\",\"{(1),(2)}\")")
    #expect(try record[2, as: PGRecord.self][1, as: [Int].self] == [1, 2])
    #expect(record.columnNames == [])
  }

  @Test("ranges and multiranges, of numbers and of a type of one's own")
  func ranges() throws {
    let range = try db.query.first("SELECT int4range(1, 5)", as: PGRange<Int>.self)
    #expect(range == PGRange(1..<5) && range?.contains(4) == true && range?.contains(5) == false)
    #expect(
      try db.query.first("SELECT $1::numrange", PGRange(PGNumeric(1), nil), as: String.self)
        == "[1,)")
    #expect(
      try db.query.first(
        "SELECT $1::int4multirange", [PGRange(1..<3), PGRange(7...)] as PGMultirange<Int>,
        as: PGMultirange<Int>.self)?.ranges == [PGRange(1..<3), PGRange(7...)])
    try db.execute("CREATE TYPE pg_temp.span AS RANGE (subtype = float8)")
    #expect(
      try db.query.first("SELECT pg_temp.span(1.5, 2)", as: PGRange<Double>.self)
        == PGRange(1.5..<2))
    #expect(try db.query.first("SELECT 'empty'::int4range", as: PGRange<Int>.self) == .empty)
  }

  @Test("enumerations and domains over anything")
  func domains() throws {
    try db.execute(
      """
      CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok');
      CREATE DOMAIN pg_temp.moods AS pg_temp.mood[];
      CREATE DOMAIN pg_temp.small AS int2 CHECK (VALUE < 100);
      CREATE DOMAIN pg_temp.smaller AS pg_temp.small;
      CREATE TYPE pg_temp.pair AS (a pg_temp.smaller, b pg_temp.moods);
      """)
    enum Mood: String, Decodable { case sad, ok }
    struct Line: Decodable {
      let mood: Mood
      let all: [Mood]
    }
    let line = try #require(
      try db.query("SELECT 'ok'::pg_temp.mood AS mood, '{sad,ok}'::pg_temp.moods AS \"all\"").first)
    let decoded = try line.decode(as: Line.self)
    #expect(decoded.mood == .ok && decoded.all == [.sad, .ok])
    #expect(try db.query.first("SELECT $1::pg_temp.smaller", 7, as: Int.self) == 7)
    let over = #expect(throws: PGError.self) { try db.query("SELECT $1::pg_temp.smaller", 100) }
    #expect(over?.code == .checkViolation)
    let pair = try db.query.first(
      "SELECT $1::pg_temp.pair", PGRecord(fields: [3, ["sad", nil] as [String?]]),
      as: PGRecord.self)
    #expect(pair?.description == "(3,\"{sad,NULL}\")")
  }

  /// How often `body` has the server asked for a type.
  private func lookUps(_ body: () throws -> Void) rethrows -> Int {
    var count = 0
    db.traceHandler = { if $0.contains("Parse"), $0.contains("pg_catalog.pg_type") { count += 1 } }
    defer { db.traceHandler = nil }
    try body()
    return count
  }

  @Test("looks a type up once, and never what every server has")
  func lookUps() throws {
    try db.execute("CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok')")
    let known = try lookUps {
      _ = try db.query("SELECT ARRAY[1], int4range(1, 2), 'a'::text, row(1)")
    }
    #expect(known == 0)
    var statement: Statement?
    let met = try lookUps { statement = try db.prepare("SELECT 'ok'::pg_temp.mood") }
    #expect(met == 1)
    let again = try lookUps {
      _ = try statement?()
      _ = try db.query("SELECT $1::pg_temp.mood", "sad")
    }
    #expect(again == 0)
  }

  @Test("types met one after the other stay known, for prepared and for one-shot statements")
  func severalTypes() throws {
    try db.execute(
      "CREATE TYPE pg_temp.a AS (x int); CREATE TYPE pg_temp.b AS (y text, a pg_temp.a)")
    let first = try db.prepare("SELECT row(1)::pg_temp.a")
    _ = try first()
    let second = try db.prepare("SELECT row('t', row(2))::pg_temp.b, row(3)::pg_temp.a")
    let asked = try lookUps {
      for _ in 0..<3 {
        #expect(try first.first(as: PGRecord.self)?.columnNames == ["x"])
        let row = try #require(try second().first)
        #expect(try row[0].json() == #"{"y":"t","a":{"x":2}}"#)
        #expect(try row[1].json() == #"{"x":3}"#)
      }
    }
    #expect(asked == 0)
    try db.execute("CREATE TYPE pg_temp.c AS (z pg_temp.b[])")
    let sql = "SELECT row(ARRAY[row('t', row(2))::pg_temp.b])::pg_temp.c, row(3)::pg_temp.a"
    #expect(try db.query(sql)[0][0].json() == #"{"z":[{"y":"t","a":{"x":2}}]}"#)
    let text = try #require(try db.query.text(sql, learnsTypes: true).next())
    #expect(try text[0][1].json() == #"{"x":3}"#)
  }

  @Test("a type made of itself many times over is known at once")
  func wideTypes() throws {
    try db.execute("CREATE TYPE pg_temp.t0 AS (a int)")
    for level in 1...24 {
      try db.execute(
        "CREATE TYPE pg_temp.t\(level) AS (a pg_temp.t\(level - 1), b pg_temp.t\(level - 1))")
    }
    let start = ContinuousClock.now
    #expect(try db.query.first("SELECT NULL::pg_temp.t24", as: PGRecord?.self) == .some(nil))
    #expect(ContinuousClock.now - start < .seconds(2))
  }

  @Test("keys and names are compared by their bytes, and what Swift takes for one is told")
  func equivalentKeys() throws {
    try Self.extensionsExist.get()
    let sql = #"SELECT hstore(ARRAY[U&'\00e9', U&'e\0301'], ARRAY['1', '2'])"#
    for query in [sql, sql + "::text::hstore"] {
      let error = #expect(throws: PGError.self) { try db.query.first(query, as: PGValue.self) }
      #expect(error?.message.contains("the same text in Swift") == true)
    }
    try db.execute(#"CREATE TYPE pg_temp.nfc AS (U&"\00e9" int)"#)
    let error = #expect(throws: PGError.self) {
      try db.query("SELECT $1::pg_temp.nfc", ["e\u{301}": 1] as [String: PGValue])
    }
    #expect(error?.message.contains("no attribute") == true)
    let bytes = #expect(throws: PGError.self) {
      try db.query("SELECT $1::pg_temp.nfc", ["\u{e9}": 1] as [String: UInt8])
    }
    #expect(bytes?.code == .parameterError)
  }

  @Test("a value that does not fit an attribute is told with it")
  func attributes() throws {
    try db.execute("CREATE TYPE pg_temp.item AS (name text, price numeric)")
    let error = #expect(throws: PGError.self) {
      try db.query("SELECT $1::pg_temp.item", PGRecord("x", true))
    }
    #expect(error?.message == "a value of type Bool cannot be sent as SQL type numeric")
    #expect(error?.report.contains("price") == true)
    struct Narrow: Codable, Equatable {
      let name: UInt8?
      let price: UInt16
    }
    try db.execute("CREATE TYPE pg_temp.narrow AS (name int, price int8)")
    let value = Narrow(name: 3, price: 65_535)
    let row = try #require(
      try db.query("SELECT ($1::pg_temp.narrow).*", try PGRecord(encoding: value)).first)
    #expect(try row.decode(as: Narrow.self) == value)
    struct Grid: Decodable { let grid: [[Mood]] }
    enum Mood: String, Decodable { case sad, ok }
    let grid = try #require(
      try db.query("SELECT ARRAY[['sad', 'ok'], ['ok', 'sad']] AS grid").first)
    #expect(try grid.decode(as: Grid.self).grid == [[.sad, .ok], [.ok, .sad]])
  }

  @Test("texts of types with a text of their own, and money")
  func ownTexts() throws {
    #expect(
      try db.query.first("SELECT ARRAY[box(point(1, 1), point(0, 0))]", as: String.self)
        == "{(1,1),(0,0)}")
    #expect(try db.query.first("SELECT '1 2'::int2vector", as: String.self) == "1 2")
    let money = try #require(try db.query.text("SELECT 12.5::numeric::money").next())
    #expect(try money[0][0].json() == #""$12.50""#)
    #expect(
      try db.query.first("SELECT $1::money::numeric", PGMoney(units: 1250), as: PGNumeric.self)
        == PGNumeric("12.50"))
    #expect(PGMoney("12") == nil && PGMoney("abc.12") == nil && PGMoney("-1.25")?.units == -125)
  }

  @Test("a type that is dropped and made again, or altered, is learned anew")
  func alteredTypes() throws {
    try db.execute("CREATE TYPE pg_temp.c AS (a int)")
    let sql = "SELECT $1::pg_temp.c"
    #expect(try db.query.first(sql, PGRecord(1), as: PGRecord.self)?.columnNames == ["a"])
    try db.execute("DROP TYPE pg_temp.c; CREATE TYPE pg_temp.c AS (b text, c text)")
    #expect(
      try db.query.first(sql, PGRecord("x", "y"), as: PGRecord.self)?.columnNames == ["b", "c"])
    let kept = try db.prepare(sql)
    try db.execute(
      "ALTER TYPE pg_temp.c ADD ATTRIBUTE d int; ALTER TYPE pg_temp.c RENAME ATTRIBUTE b TO e")
    #expect(
      try kept.first(PGRecord("x", "y", 1), as: PGRecord.self)?.columnNames == ["e", "c", "d"])
  }

  @Test("what another session alters is noticed by its values, and learned when told so")
  func alteredElsewhere() throws {
    let other = try TestServer.shared.connect()
    try db.execute("CREATE TYPE altered_elsewhere AS (a int)")
    defer { try? db.execute("DROP TYPE altered_elsewhere") }
    let ps = try other.prepare("SELECT row(1)::altered_elsewhere")
    #expect(try ps.first(as: PGRecord.self)?.columnNames == ["a"])
    try db.execute("ALTER TYPE altered_elsewhere ADD ATTRIBUTE b int")
    let again = try other.prepare("SELECT row(1, 2)::altered_elsewhere")
    let error = #expect(throws: PGError.self) { try again.first(as: PGRecord.self) }
    #expect(error?.hint?.contains("types.forget()") == true)
    other.types.forget()
    #expect(try again.first(as: PGRecord.self)?.columnNames == ["a", "b"])
  }

  @Test("hstore, citext and ltree, found by their extension")
  func extensions() throws {
    try Self.extensionsExist.get()
    let pairs: [String: String?] = ["a": "1", "b": nil]
    #expect(try db.query.first("SELECT $1::hstore", pairs, as: [String: String?].self) == pairs)
    #expect(
      try db.query.first("SELECT $1::hstore", ["a": "1"], as: [String: String].self) == ["a": "1"])
    #expect(throws: PGError.self) {
      try db.query.first("SELECT 'a=>NULL'::hstore", as: [String: String].self)
    }
    #expect(try db.query.first("SELECT $1::citext = 'ABC'", "abc", as: Bool.self) == true)
    #expect(try db.query.first("SELECT $1::ltree", "Top.Science", as: String.self) == "Top.Science")
    #expect(
      try db.query.first("SELECT ARRAY['a.b'::ltree, 'c']", as: [String].self) == ["a.b", "c"])
  }

  /// Two numbers in the binary form of a composite of two float8.
  struct Complex: PGEncodable, PGDecodable, PGArrayElement, Hashable {
    let real: Double
    let imaginary: Double

    private var record: PGRecord { PGRecord(fields: [real, imaginary]) }

    init(_ real: Double, _ imaginary: Double) { (self.real, self.imaginary) = (real, imaginary) }

    func encodingFormat(for type: PGType) -> PGFormat? {
      type.name.hasSuffix(".complex") ? .text : nil
    }
    func encodeBinary(as type: PGType, into writer: inout ByteWriter) throws(PGError) {}
    func encodeText(as type: PGType, into writer: inout ByteWriter) throws(PGError) {
      try record.encodeText(as: type, into: &writer)
    }
    static func accepts(_ type: PGType, _ format: PGFormat) -> Bool {
      type.name.hasSuffix(".complex") && format == .text
    }
    init(binary reader: inout ByteReader, as type: PGType) throws(PGError) {
      throw .column("never asked for")
    }
    init(text reader: inout ByteReader, as type: PGType) throws(PGError) {
      let parts = try String(text: &reader, as: type).dropFirst().dropLast().split(separator: ",")
      self.init(Double(parts[0]) ?? 0, Double(parts[1]) ?? 0)
    }
  }

  @Test("a codec of one's own, by name and by identifier")
  func codecs() throws {
    try db.execute("CREATE TYPE pg_temp.complex AS (r float8, i float8)")
    db.types.register(Complex.self, for: "pg_temp.complex")
    let value = Complex(1.5, -2)
    #expect(try db.query.first("SELECT $1::pg_temp.complex", value, as: Complex.self) == value)
    let dynamic = try db.query("SELECT '(1.5,-2)'::pg_temp.complex")[0][0]
    #expect(dynamic == .custom(PGCustomValue(value)))
    #expect(try db.query.first("SELECT ($1::pg_temp.complex).i", dynamic, as: Double.self) == -2)
    let array = try db.query.first("SELECT ARRAY[$1::pg_temp.complex]", value, as: [Complex].self)
    #expect(array == [value])
    // The name means the type that has it, whenever it was made.
    try db.execute("DROP TYPE pg_temp.complex; CREATE TYPE pg_temp.complex AS (r float8, i float8)")
    #expect(try db.query("SELECT '(1.5,-2)'::pg_temp.complex")[0][0] == dynamic)
    let other = try TestServer.shared.connect()
    try other.execute("CREATE TYPE pg_temp.complex AS (r float8, i float8)")
    let oid = try #require(
      try other.query.first("SELECT 'pg_temp.complex'::regtype::oid", as: UInt32.self))
    other.types.register(Complex.self, for: TypeOID(rawValue: oid))
    #expect(try other.query("SELECT '(1.5,-2)'::pg_temp.complex")[0][0] == dynamic)
  }
}
