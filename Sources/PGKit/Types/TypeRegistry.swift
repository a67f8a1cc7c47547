/// What one connection knows of types that not every server has, and the codecs a program brought.
///
/// It is filled when a type is first met, and costs nothing for the types that every server has. An
/// identifier is not given to another type before four billion more have been used; a type that is
/// altered keeps its identifier, so ``forget()`` is for programs whose other sessions alter types
/// while this one uses them. What this connection alters itself is noticed.
public final class TypeRegistry {
  private var known: [TypeOID: PGType] = [:]
  private var codecs: [TypeOID: CustomCodec] = [:]
  /// Codecs by the names of types, and which types these mean, once they were asked for.
  private var namedCodecs: [String: CustomCodec] = [:]
  private var resolvedNames: [String: TypeOID?] = [:]
  /// How often what was known was forgotten: a description made before is out of date.
  private(set) var generation = 0

  /// The server's major version; 0 before there is a server.
  var serverMajor: UInt16 = 0

  init() {}

  /// Whether nothing was looked up and no codec was brought.
  private(set) var isEmpty = true

  /// Has values of a type written and read by a program's own Swift type.
  ///
  /// Columns of the type are then asked for in binary if the Swift type accepts that, in text
  /// otherwise, and their dynamic value is ``PGValue/custom(_:)``.
  ///
  /// A server says of a column of a domain that it is of the type that the domain is over, so a
  /// domain's codec is for parameters, and for the members of arrays and composites.
  ///
  /// - Parameters:
  ///   - codec: The Swift type.
  ///   - type: The identifier of the SQL type.
  ///
  /// In py-postgresql: type I/O objects, `typio`.
  public func register(_ codec: any PGCustomCodable.Type, for type: TypeOID) {
    forget()
    codecs[type] = CustomCodec(codec)
    isEmpty = false
  }

  /// Has values of a type written and read by a program's own Swift type.
  ///
  /// - Parameters:
  ///   - codec: The Swift type.
  ///   - name: The name of the SQL type, with its schema unless that is on the search path, quoted
  ///     where SQL demands it: `complex`, `public."My Type"`. It is looked up when the next
  ///     statement is prepared; a type that is not there then is not waited for.
  public func register(_ codec: any PGCustomCodable.Type, for name: String) {
    forget()
    namedCodecs[name] = CustomCodec(codec)
    isEmpty = false
  }

  /// Ends what ``register(_:for:)-(_,TypeOID)`` began.
  public func unregister(_ type: TypeOID) {
    codecs[type] = nil
    forget()
  }

  /// Ends what ``register(_:for:)-(_,String)`` began; the name must be written in the same way.
  public func unregister(_ name: String) {
    namedCodecs[name] = nil
    forget()
  }

  /// The codecs that a program has brought.
  struct Codecs: Sendable {
    fileprivate let codecs: [TypeOID: CustomCodec]
    fileprivate let namedCodecs: [String: CustomCodec]
  }

  /// Those that there are now.
  var broughtCodecs: Codecs { Codecs(codecs: codecs, namedCodecs: namedCodecs) }

  /// Ends what was registered since, and begins again what was ended.
  func restore(_ brought: Codecs) {
    guard codecs != brought.codecs || namedCodecs != brought.namedCodecs else { return }
    (codecs, namedCodecs) = (brought.codecs, brought.namedCodecs)
    forget()
  }

  /// Forgets everything that was looked up; what is needed is looked up anew.
  ///
  /// Codecs that a program brought stay.
  public func forget() {
    known = [:]
    resolvedNames = [:]
    generation &+= 1
    isEmpty = codecs.isEmpty && namedCodecs.isEmpty
  }

  /// The names for which there are codecs whose types are not known yet.
  var namesToResolve: [String] { namedCodecs.keys.filter { resolvedNames[$0] == nil }.sorted() }

  /// Takes in which type a name means; `nil` if there is none.
  func resolve(_ name: String, as type: TypeOID?) { resolvedNames[name] = .some(type) }

  /// What is known of a type; `nil` if it has to be looked up.
  func type(_ oid: TypeOID) -> PGType? {
    if isEmpty { return oid.isBuiltin ? builtin(oid) : nil }
    if let type = known[oid] { return type }
    guard namedCodecs.count == resolvedNames.count, codec(for: oid) == nil else { return nil }
    return oid.isBuiltin ? builtin(oid) : nil
  }

  /// A type that every server has.
  func builtin(_ oid: TypeOID) -> PGType {
    PGType(oid, recordDepth: 0, serverMajor: serverMajor)
  }

  /// Takes in what a look-up found.
  func learn(_ types: [TypeOID: PGType]) {
    known.merge(types) { $1 }
    isEmpty = isEmpty && types.isEmpty
  }

  /// The codec that a program brought for a type.
  func codec(for oid: TypeOID) -> CustomCodec? {
    if let codec = codecs[oid] { return codec }
    let name = resolvedNames.first { $0.value == oid }?.key
    return name.flatMap { namedCodecs[$0] }
  }
}

/// A program's own Swift type that stands for an SQL type.
public typealias PGCustomCodable = PGEncodable & PGDecodable & Hashable

/// The codec that a program brought for a type.
struct CustomCodec: Sendable, Equatable {
  let type: any PGCustomCodable.Type

  static func == (left: CustomCodec, right: CustomCodec) -> Bool { left.type == right.type }

  init(_ type: any PGCustomCodable.Type) { self.type = type }

  /// The format in which columns are asked for.
  func resultFormat(for column: PGType) -> PGFormat {
    type.accepts(column, .binary) ? .binary : .text
  }

  /// A column's value.
  func decode(
    _ reader: inout ByteReader, _ column: PGType, _ format: PGFormat
  ) throws(PGError) -> PGCustomValue {
    guard type.accepts(column, format) else {
      throw .unreadable(column, as: type, " from \(format)")
    }
    return try type.decodeCustom(&reader, column, format)
  }
}

extension PGDecodable where Self: PGEncodable {
  fileprivate static func decodeCustom(
    _ reader: inout ByteReader, _ column: PGType, _ format: PGFormat
  ) throws(PGError) -> PGCustomValue {
    switch format {
    case .binary: PGCustomValue(try Self(binary: &reader, as: column))
    case .text: PGCustomValue(try Self(text: &reader, as: column))
    }
  }
}

/// A value of a program's own Swift type, within a ``PGValue``.
public struct PGCustomValue: Hashable, Sendable {
  /// The value.
  public let value: any PGEncodable

  /// Makes one.
  public init(_ value: any PGEncodable) { self.value = value }

  /// Whether they are equal values of the same Swift type; never, if that cannot be compared.
  public static func == (left: PGCustomValue, right: PGCustomValue) -> Bool {
    guard let left = left.value as? any Hashable, let right = right.value as? any Hashable else {
      return false
    }
    return AnyHashable(left) == AnyHashable(right)
  }

  /// Feeds the value.
  public func hash(into hasher: inout Hasher) {
    if let value = value as? any Hashable { hasher.combine(AnyHashable(value)) }
  }
}
