public import PGKit

/// Makes values of any type that PGKit can send: the boundary values of its parts first, and then random
/// ones, always the same for the same seed.
public struct ValueGenerator {
  private var random: SeededGenerator
  /// How many values were made, which is what goes through the boundary values.
  private var count = 0

  /// Makes a generator.
  public init(seed: UInt64) { random = SeededGenerator(seed: seed) }

  /// The next value of a type; `nil` if none can be made.
  public mutating func next(of type: PGType) -> PGValue? {
    defer { count += 1 }
    return value(of: type, depth: 0)
  }

  private mutating func value(of type: PGType, depth: Int) -> PGValue? {
    if let element = type.element { return array(of: element, type, depth) }
    if let attributes = type.attributes {
      if depth > 2 { return .null }
      var fields: [PGValue] = []
      for attribute in attributes {
        let isNull = chance(8)
        fields.append(isNull ? .null : value(of: attribute.type, depth: depth + 1) ?? .null)
      }
      return .record(PGRecord(values: fields))
    }
    if let bound = type.bound { return range(of: bound, depth).map { .range($0) } }
    if let range = type.range, let bound = range.bound {
      var ranges: [PGRange<PGValue>] = []
      for _ in 0..<Int.random(in: 0...3, using: &random) {
        if let range = self.range(of: bound, depth) { ranges.append(range) }
      }
      return .multirange(PGMultirange(ranges))
    }
    if let labels = type.labels { return pick(labels).map { .string($0) } }
    // Domains that allow little of what they are over.
    switch type.name {
    case "information_schema.yes_or_no": return .string(chance(2) ? "YES" : "NO")
    case "information_schema.cardinal_number":
      return .int32(Int32.random(in: 0 ... .max, using: &random))
    case "information_schema.time_stamp":
      return .timestampTZ(
        PGTimestampTZ(microsecondsSince2000: Int64(integer() as Int32) * 1_000_000))
    case "public.hstore": return .hstore(pairs())
    case "public.ltree": return pick(["", "Top.Science", "a.b.c_1"]).map { .string($0) }
    case "public.lquery": return pick(["*.a.*", "a{1,2}.b@", "!x|y.*"]).map { .string($0) }
    case "public.ltxtquery": return pick(["a & b@", "( x | y ) & !z"]).map { .string($0) }
    case "public.citext": return .string(text(upTo: 40))
    case "public.vector":
      return .vector((0..<Int.random(in: 1...20, using: &random)).map { _ in Float(finite()) })
    // Types of which nothing is known: their text.
    case "public.halfvec": return .text(type.oid, "[1,2.5,-3]")
    case "public.sparsevec": return .text(type.oid, "{1:1.5,3:2}/5")
    default: break
    }
    return scalar(type.base)
  }

  // MARK: Containers

  private mutating func array(of element: PGType, _ type: PGType, _ depth: Int) -> PGValue? {
    let isVector = type.base == .int2vector || type.base == .oidvector
    var dimensions: [PGArrayDimension] = []
    if !isVector, depth < 3 {
      let wanted = [0, 1, 1, 1, 2, 3][Int.random(in: 0...5, using: &random)]
      for _ in 0..<(depth == 0 && chance(50) ? 6 : wanted) {
        let extent = Int.random(in: 1...(wanted > 1 ? 2 : 4), using: &random)
        let lowest = chance(5) ? Int.random(in: -3...7, using: &random) : 1
        if let dimension = try? PGArrayDimension(count: extent, lowerBound: lowest) {
          dimensions.append(dimension)
        }
      }
    } else if isVector, let one = try? PGArrayDimension(count: 3, lowerBound: 0) {
      dimensions = [one]
    }
    let total = dimensions.isEmpty ? 0 : dimensions.map(\.count).reduce(1, *)
    var elements: [PGValue?] = []
    for _ in 0..<total {
      let isNull = !isVector && chance(6)
      elements.append(isNull ? nil : value(of: element, depth: depth + 1))
    }
    return (try? PGArray(elements, dimensions: dimensions)).map { .array($0) }
  }

  private mutating func range(of bound: PGType, _ depth: Int) -> PGRange<PGValue>? {
    if chance(8) { return .empty }
    guard let one = value(of: bound, depth: depth + 1),
      let other = value(of: bound, depth: depth + 1)
    else { return nil }
    guard let (lower, upper) = Self.ordered(one, other) else { return PGRange(one, nil) }
    return PGRange(
      chance(6) ? nil : lower, chance(6) ? nil : upper, includesLower: chance(2),
      includesUpper: chance(2))
  }

  /// Both in order, if their order is known here.
  private static func ordered(_ one: PGValue, _ other: PGValue) -> (PGValue, PGValue)? {
    let isInOrder: Bool? =
      switch (one, other) {
      case (.int32(let a), .int32(let b)): a <= b
      case (.int64(let a), .int64(let b)): a <= b
      case (.numeric(let a), .numeric(let b)): a <= b
      case (.double(let a), .double(let b)) where !a.isNaN && !b.isNaN: a <= b
      case (.date(let a), .date(let b)): a <= b
      case (.timestamp(let a), .timestamp(let b)): a <= b
      case (.timestampTZ(let a), .timestampTZ(let b)): a <= b
      default: nil
      }
    return isInOrder.map { $0 ? (one, other) : (other, one) }
  }

  // MARK: Values

  private mutating func scalar(_ type: TypeOID) -> PGValue? {
    switch type {
    case .bool: .bool(chance(2))
    case .int2: .int16(integer())
    case .int4: .int32(integer())
    case .int8: .int64(integer())
    case .oid, .xid, .cid: .uint32(integer())
    case .xid8: .uint64(integer())
    case .float4: .float(float())
    case .float8: .double(double())
    case .numeric: .numeric(numeric())
    case .money: .money(PGMoney(units: integer()))
    case .text, .varchar, .refcursor, .cstring, .unknown: .string(text(upTo: 40))
    // Trailing spaces are not part of the value.
    case .bpchar: .string(text(upTo: 40) + "x")
    case .name: .string(String(text(upTo: 12)))
    case .char: .string(pick(["", "a", "\"", "\\", "'", ",", "{", " "]) ?? "")
    case .bytea: .bytes(bytes(upTo: 40))
    case .uuid: .uuid(PGUUID(high: integer(), low: integer()))
    default: temporal(type) ?? rare(type)
    }
  }

  private mutating func temporal(_ type: TypeOID) -> PGValue? {
    switch type {
    case .date: .date(date())
    case .time: .time(PGTime(microseconds: time()))
    case .timetz:
      .timeTZ(
        PGTimeTZ(
          microseconds: time(), secondsWest: Int32.random(in: -57_599...57_599, using: &random)))
    case .timestamp: .timestamp(PGTimestamp(microsecondsSince2000: instant()))
    case .timestamptz: .timestampTZ(PGTimestampTZ(microsecondsSince2000: instant()))
    case .interval:
      .interval(
        PGInterval(months: between(2_000_000), days: between(1_000_000), microseconds: interval()))
    default: nil
    }
  }

  private mutating func rare(_ type: TypeOID) -> PGValue? {
    switch type {
    case .json, .jsonb: .json(PGJSON(text: json(depth: 0)))
    case .jsonpath:
      pick(["$", "$.\"a\"", "$.\"b\"[*]", "strict $.\"x\"?(@ > 1)"]).map { .string($0) }
    case .xml:
      pick(["<a/>", "<a b=\"c\">d &amp; e</a>", "text", "<é>x</é>"]).map { .xml(PGXML(text: $0)) }
    case .inet: inet(isNetwork: false).map { .inet($0) }
    case .cidr: inet(isNetwork: true).map { .inet($0) }
    case .macaddr: (try? PGMACAddress(exactly(6))).map { .macAddress($0) }
    case .macaddr8: (try? PGMACAddress(exactly(8))).map { .macAddress($0) }
    case .bit, .varbit: .bits(bits())
    case .pgLsn: .lsn(PGLSN(integer()))
    case .tid: .tid(PGTID(block: integer(), offset: integer()))
    case .pgSnapshot, .txidSnapshot: .snapshot(snapshot())
    case .tsvector: .textSearchVector(vector())
    case .tsquery: PGTextSearchQuery(query(depth: 0)).map { .textSearchQuery($0) }
    default: geometric(type) ?? named(type)
    }
  }

  private mutating func geometric(_ type: TypeOID) -> PGValue? {
    switch type {
    case .point: .point(point())
    case .line: .line(PGLine(a: finite().magnitude + 1, b: finite(), c: finite()))
    case .lseg: .segment(PGSegment(point(), point()))
    case .box: .box(PGBox(point(), point()))
    case .path: .path(PGPath(points(), isClosed: chance(2)))
    case .polygon: .polygon(PGPolygon(points()))
    case .circle: (try? PGCircle(point(), radius: finite().magnitude)).map { .circle($0) }
    default: nil
    }
  }

  /// What only its text is known of: objects that every database has.
  private mutating func named(_ type: TypeOID) -> PGValue? {
    let texts: [String]? =
      switch type {
      case .regclass: ["pg_class", "pg_type"]
      case .regtype: ["integer", "text[]", "timestamp with time zone"]
      case .regproc: ["pg_sleep"]
      case .regprocedure: ["pg_sleep(double precision)"]
      case .regoper: ["||/"]
      case .regoperator: ["+(integer,integer)", "-(bigint,bigint)"]
      case .regconfig: ["english", "simple"]
      case .regdictionary: ["simple", "english_stem"]
      case .regnamespace: ["pg_catalog", "public"]
      case .regrole: ["pg_monitor"]
      case .regcollation: ["\"C\"", "\"default\""]
      case .aclitem: ["=r/pg_monitor", "pg_monitor=arwd/pg_monitor", "pg_monitor=r*/pg_monitor"]
      default: nil
      }
    return texts.flatMap { pick($0) }.map { .text(type, $0) }
  }

  // MARK: Parts

  /// A boundary value: each of them in turn for the first values that are made, now and then later.
  private mutating func boundary<Value>(_ values: [Value]) -> Value? {
    if count < values.count { return values[count] }
    return chance(5) ? pick(values) : nil
  }

  private mutating func chance(_ of: Int) -> Bool { Int.random(in: 0..<of, using: &random) == 0 }

  private mutating func pick<Value>(_ values: [Value]) -> Value? {
    values.randomElement(using: &random)
  }

  /// An integer: the ends of its type and what is near them every fourth time.
  private mutating func integer<Value: FixedWidthInteger>() -> Value {
    if let end = boundary([.min, .max, 0, 1, .max - 1, .min + 1] as [Value]) { return end }
    return Value.random(in: .min ... .max, using: &random)
      >> Value.random(
        in: 0..<Value(truncatingIfNeeded: Value.bitWidth), using: &random)
  }

  private mutating func between(_ limit: Int32) -> Int32 {
    chance(3) ? 0 : Int32.random(in: -limit...limit, using: &random)
  }

  private mutating func double() -> Double {
    let ends: [Double] = [
      0, -0.0, 1, -1, 0.1, .nan, .infinity, -.infinity, .greatestFiniteMagnitude,
      .leastNonzeroMagnitude, .leastNormalMagnitude, 1e15, 1e-5, 123_456_789_012_345_680,
    ]
    if let end = boundary(ends) { return end }
    if chance(3) { return Double(integer() as Int64) * Double(integer() as Int16) }
    let value = Double(bitPattern: integer())
    // One NaN is as good as another, but the server shows their bits.
    return value.isNaN ? .nan : value
  }

  private mutating func float() -> Float {
    let ends: [Float] = [
      0, -0.0, 1, 0.1, .nan, .infinity, -.infinity, .greatestFiniteMagnitude,
      .leastNonzeroMagnitude, 1e6, 16_777_216,
    ]
    if let end = boundary(ends) { return end }
    if chance(3) { return Float(integer() as Int32) }
    let value = Float(bitPattern: integer())
    return value.isNaN ? .nan : value
  }

  private mutating func finite() -> Double {
    chance(3)
      ? Double(Int.random(in: -9...9, using: &random))
      : Double.random(in: -1e6...1e6, using: &random)
  }

  private mutating func numeric() -> PGNumeric {
    let ends: [PGNumeric] = [.nan, .infinity, .minusInfinity, .zero]
    if let end = boundary(ends) { return end }
    func digits(_ limit: Int) -> String {
      let count = chance(30) ? limit * 20 : Int.random(in: 0...limit, using: &random)
      return (0..<count).map { _ in chance(3) ? "0" : "\(Int.random(in: 0...9, using: &random))" }
        .joined()
    }
    let fraction = digits(20)
    let text = "\(chance(2) ? "-" : "")0\(digits(30))\(fraction.isEmpty ? "" : "." + fraction)"
    return PGNumeric(text) ?? .zero
  }

  private mutating func text(upTo limit: Int) -> String {
    let ends = ["", " ", "NULL", "null", "\"", "\\", "{}", "a,b", "()", "'"]
    if let end = boundary(ends) { return end }
    let letters = Array("abc XYZ,;{}()[]\"'\\\n\t=>éß中🐘\u{301}NULL01")
    return String(
      (0..<Int.random(in: 0...limit / 3, using: &random)).compactMap { _ in pick(letters) })
  }

  private mutating func pairs() -> [String: String?] {
    var pairs: [String: String?] = [:]
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      pairs[text(upTo: 20)] = chance(3) ? .some(nil) : text(upTo: 20)
    }
    return pairs
  }

  private mutating func exactly(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in chance(4) ? 0 : UInt8.random(in: 0...255, using: &random) }
  }

  private mutating func bytes(upTo limit: Int) -> [UInt8] {
    exactly(Int.random(in: 0...limit, using: &random))
  }

  private mutating func bits() -> PGBits {
    PGBits((0..<Int.random(in: 1...70, using: &random)).map { _ in chance(2) })
  }

  private mutating func date() -> PGDate {
    let ends: [PGDate] = [
      .infinity, .minusInfinity, PGDate(daysSince2000: 0), PGDate(daysSince2000: -2_451_545),
      PGDate(daysSince2000: 2_145_031_948),
    ]
    if let end = boundary(ends) { return end }
    return PGDate(daysSince2000: Int32.random(in: -2_451_545...3_000_000, using: &random))
  }

  private mutating func time() -> Int64 {
    boundary([0, 86_400_000_000, 86_399_999_999, 1])
      ?? Int64.random(in: 0...86_400_000_000, using: &random)
  }

  private mutating func instant() -> Int64 {
    let ends: [Int64] = [
      .max, .min, 0, -1, 1, -211_813_488_000_000_000, 9_223_371_331_199_999_999,
    ]
    if let end = boundary(ends) { return end }
    return Int64.random(in: -211_813_488_000_000_000..<9_223_371_331_200_000_000, using: &random)
      >> Int64.random(in: 0...20, using: &random)
  }

  private mutating func interval() -> Int64 {
    chance(4) ? 0 : Int64.random(in: -1_000_000_000_000_000...1_000_000_000_000_000, using: &random)
  }

  private mutating func point() -> PGPoint { PGPoint(finite(), finite()) }

  private mutating func points() -> [PGPoint] {
    (0..<Int.random(in: 1...5, using: &random)).map { _ in point() }
  }

  private mutating func inet(isNetwork: Bool) -> PGInet? {
    let isV6 = chance(2)
    var bytes = exactly(isV6 ? 16 : 4)
    if isV6, chance(3) { bytes.replaceSubrange(0..<10, with: repeatElement(0, count: 10)) }
    if isV6, chance(6) { bytes.replaceSubrange(0..<15, with: repeatElement(0, count: 15)) }
    let prefix = Int.random(in: 0...bytes.count * 8, using: &random)
    if isNetwork {
      for bit in prefix..<bytes.count * 8 { bytes[bit / 8] &= ~(0x80 >> (bit % 8)) }
    }
    return try? PGInet(
      bytes, prefix: chance(3) && !isNetwork ? nil : prefix, isNetwork: isNetwork)
  }

  private mutating func snapshot() -> PGSnapshot {
    let xmin = UInt64.random(in: 1...1 << 40, using: &random)
    let xip = Set(
      (0..<Int.random(in: 0...4, using: &random)).map { _ in
        xmin + UInt64.random(in: 0...50, using: &random)
      }
    ).sorted()
    return PGSnapshot(xmin: xmin, xmax: (xip.last ?? xmin) + 1, xip: xip)
  }

  private mutating func word() -> String {
    let letters = Array("abcdeé'\\ :*中")
    return String((0..<Int.random(in: 1...6, using: &random)).compactMap { _ in pick(letters) })
  }

  private mutating func vector() -> PGTextSearchVector {
    // The server has lexemes in the order of their lengths and bytes, each once.
    let words = Set((0..<Int.random(in: 0...4, using: &random)).map { _ in word() }).sorted {
      ($0.utf8.count, Array($0.utf8).description) < ($1.utf8.count, Array($1.utf8).description)
    }
    return PGTextSearchVector(
      words.map { word in
        let places = Set(
          (0..<Int.random(in: 0...3, using: &random)).map { _ in
            UInt16.random(in: 1...16_382, using: &random)
          }
        ).sorted()
        return PGTextSearchVector.Lexeme(
          word,
          places.map { PGTextSearchVector.Position($0, pick([.a, .b, .c, .d]) ?? .d) })
      })
  }

  private mutating func query(depth: Int) -> [PGTextSearchQuery.Part] {
    if depth == 0, chance(20) { return [] }
    if depth > 3 || chance(2) {
      return [
        .lexeme(
          word(), weights: chance(2) ? 0 : UInt8.random(in: 0...15, using: &random),
          isPrefix: chance(3))
      ]
    }
    switch Int.random(in: 0...3, using: &random) {
    case 0: return [.not] + query(depth: depth + 1)
    case 1: return [.and] + query(depth: depth + 1) + query(depth: depth + 1)
    case 2: return [.or] + query(depth: depth + 1) + query(depth: depth + 1)
    default:
      return [.phrase(UInt16.random(in: 0...16_384, using: &random))] + query(depth: depth + 1)
        + query(depth: depth + 1)
    }
  }

  private mutating func json(depth: Int) -> String {
    switch Int.random(in: 0...(depth > 2 ? 3 : 5), using: &random) {
    case 0: return pick(["null", "true", "false"]) ?? "null"
    case 1: return numeric().isFinite ? "\(Int64.random(in: .min ... .max, using: &random))" : "0"
    case 2: return "1.50"
    case 3: return pick(["\"\"", "\"é\\\"\\\\\"", "\"\\u0001 中\"", "\"a, b\""]) ?? "\"\""
    case 4: return "[" + (0..<2).map { _ in json(depth: depth + 1) }.joined(separator: ", ") + "]"
    default: return "{\"a\": \(json(depth: depth + 1)), \"b b\": \(json(depth: depth + 1))}"
    }
  }
}
