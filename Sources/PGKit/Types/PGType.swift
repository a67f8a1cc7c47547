/// A type of the server, with what PGKit knows of it: what it is made of, and which built-in type's
/// codec reads and writes its values.
///
/// For the types that every server has this is their identifier and nothing else; the others are
/// looked up when a connection first meets them.
///
/// In py-postgresql: what `typio` keeps for each OID.
public struct PGType: Sendable {
  /// The identifier in `pg_type`.
  public let oid: TypeOID

  /// The type that the values travel as: a domain's is that of its base type, an enumeration's
  /// `text`; its own for most types, and ``TypeOID/unspecified`` for one of which nothing is known.
  public let base: TypeOID

  /// What it is made of, where that is not written in PGKit.
  let definition: TypeDefinition?

  /// How many values of type `record` a value is inside of: they alone can be nested without end, and
  /// the nesting is the sender's choice.
  private(set) var recordDepth: UInt16

  /// The server's major version, on which the forms of a few types depend; 0 where it is not known.
  private(set) var serverMajor: UInt16

  /// Whether what is written is for people, and no server has to understand it.
  private(set) var isShown = false

  /// A type that every server has; of any other, nothing is known.
  public init(_ oid: TypeOID) { self.init(oid, recordDepth: 0, serverMajor: 0) }

  init(_ oid: TypeOID, recordDepth: UInt16, serverMajor: UInt16) {
    self.oid = oid
    self.recordDepth = recordDepth
    self.serverMajor = serverMajor
    base = oid.isBuiltin ? oid : .unspecified
    definition = nil
  }

  init(_ oid: TypeOID, _ definition: TypeDefinition) {
    self.oid = oid
    self.definition = definition
    recordDepth = 0
    if case .domain(let type) = definition.kind {
      serverMajor = type.serverMajor
    } else {
      serverMajor = 0
    }
    base =
      switch definition.kind {
      case .domain(let type): type.base
      case .enumeration: .text
      case .extensionType(let form): form.base
      case .array, .range, .multirange, .composite, .record, .custom: oid
      case .opaque, .gone: .unspecified
      }
  }

  /// The name for messages: `int4`, `public.mood`, or `oid 16403` for a type that is not known.
  public var name: String { definition?.name ?? oid.name }

  /// The same type with a domain's place taken by what the domain is over.
  var values: PGType {
    guard case .domain(let type)? = definition?.kind else { return self }
    return passing(to: type.values)
  }

  /// What a parameter is written as: itself, so that errors call it by its own name; but what a domain is
  /// over, where a program's own codec writes that.
  var written: PGType {
    if case .custom? = values.definition?.kind { return values }
    return self
  }

  /// The type, for a text that people read.
  var shown: PGType {
    var type = self
    type.isShown = true
    return type
  }

  /// Whatever type, for a text that people read.
  static let shown = PGType(.unspecified).shown

  /// A part's type, for the same purpose.
  func passing(to part: PGType) -> PGType { isShown ? part.shown : part }

  private func part(_ oid: TypeOID, recordDepth: UInt16 = 0) -> PGType {
    passing(to: PGType(oid, recordDepth: recordDepth, serverMajor: serverMajor))
  }

  /// The type of an array's elements; `nil` for what is no array.
  public var element: PGType? {
    if let definition = values.definition {
      guard case .array(let element, _) = definition.kind else { return nil }
      return passing(to: recordDepth == 0 ? element : element.within(recordDepth))
    }
    return base.arrayElement.map { part($0, recordDepth: recordDepth) }
  }

  /// The type of a range's bounds; `nil` for what is no range.
  public var bound: PGType? {
    if let definition = values.definition {
      guard case .range(let bound) = definition.kind else { return nil }
      return passing(to: bound)
    }
    return base.rangeBound.map { part($0) }
  }

  /// The type of a multirange's ranges; `nil` for what is no multirange.
  public var range: PGType? {
    if let definition = values.definition {
      guard case .multirange(let range) = definition.kind else { return nil }
      return passing(to: range)
    }
    return base.multirangeRange.map { part($0) }
  }

  /// The attributes of a composite type; `nil` for what is none, and for `record`, whose attributes
  /// are known with each value only.
  public var attributes: [PGAttribute]? {
    guard case .composite(let attributes)? = values.definition?.kind else { return nil }
    return attributes
  }

  /// The labels of an enumeration, in its order; `nil` for what is none.
  public var labels: [String]? {
    guard case .enumeration(let labels)? = values.definition?.kind else { return nil }
    return labels
  }

  // MARK: Anonymous records

  /// Whether values are anonymous records, or arrays of them: what these are made of stands in each.
  var holdsRecords: Bool { base == .record || base == .recordArray }

  /// The same type, with what is known of the types that its records are made of.
  func withMembers(_ members: [TypeOID: PGType]) -> PGType {
    guard holdsRecords else { return self }
    var type = PGType(.record, TypeDefinition(name: TypeOID.record.name, .record(members)))
    type.serverMajor = serverMajor
    if base == .recordArray {
      type = PGType(oid, TypeDefinition(name: name, .array(type, delimiter: delimiter)))
      type.serverMajor = serverMajor
    }
    return type.within(recordDepth)
  }

  /// The type of a member of a record, by its identifier.
  func member(_ oid: TypeOID) -> PGType {
    let depth = recordDepth + 1
    guard case .record(let members)? = definition?.kind else {
      return PGType(oid, recordDepth: depth, serverMajor: serverMajor)
    }
    let type = members[oid] ?? PGType(oid, recordDepth: depth, serverMajor: serverMajor)
    return type.withMembers(members).within(depth)
  }

  private func within(_ depth: UInt16) -> PGType {
    var type = self
    type.recordDepth = depth
    return type
  }

  /// The byte between an array's elements in its text form.
  var delimiter: UInt8 {
    if case .array(_, let delimiter)? = values.definition?.kind { return delimiter }
    return base == .boxArray ? UInt8(ascii: ";") : UInt8(ascii: ",")
  }

  /// Whether the server had no such type when it was looked up.
  var isGone: Bool { if case .gone? = definition?.kind { true } else { false } }

  /// Whether it is one of the catalogues' vectors: one dimension from 0 on, without NULLs, whose text has
  /// elements between spaces and no more.
  var isVector: Bool { base == .int2vector || base == .oidvector }

  /// How the text form of such an array is laid out.
  var arrayStyle: ArrayStyle { isVector ? .vector : .braces(delimiter: delimiter) }

  /// Whether the server has intervals without end: PostgreSQL 17 and later.
  var hasInfiniteIntervals: Bool { serverMajor == 0 || serverMajor >= 17 }

  /// Whether the server reads `\ooo` as a "char": PostgreSQL 16 and later.
  var readsOctalBytes: Bool { serverMajor == 0 || serverMajor >= 16 }

  /// The form of a type that an extension brings and PGKit knows.
  var extensionForm: ExtensionForm? {
    guard case .extensionType(let form)? = values.definition?.kind else { return nil }
    return form
  }

  /// Whether the server itself decides what a parameter's text means: the parameter has no type yet,
  /// or one of which PGKit knows nothing.
  var takesAnyText: Bool { base == .unspecified || base == .unknown }

  /// The format of a parameter whose Swift type has a binary form only for `own`.
  func parameterFormat(binaryFor own: TypeOID) -> PGFormat? {
    if base == own { return .binary }
    return takesAnyText ? .text : nil
  }
}

extension PGType: Hashable {
  /// Types are the same if their identifiers are.
  public static func == (left: PGType, right: PGType) -> Bool { left.oid == right.oid }

  /// Feeds the identifier.
  public func hash(into hasher: inout Hasher) { hasher.combine(oid) }
}

extension PGType: CustomStringConvertible {
  /// The name.
  public var description: String { name }
}

/// An attribute of a composite type.
public struct PGAttribute: Hashable, Sendable {
  /// The name.
  public let name: String
  /// The type.
  public let type: PGType

  init(_ name: String, _ type: PGType) { (self.name, self.type) = (name, type) }
}

/// What a type is made of that not every server has.
final class TypeDefinition: Sendable {
  enum Kind: Sendable {
    /// A domain, with its restrictions, over a type.
    case domain(PGType)
    /// An enumeration with these labels.
    case enumeration([String])
    /// An array of these elements, with the byte that is between them in its text form.
    case array(PGType, delimiter: UInt8)
    /// A range between values of this type.
    case range(PGType)
    /// Ranges of this type.
    case multirange(PGType)
    /// A composite type: a table's row, or one of CREATE TYPE.
    case composite([PGAttribute])
    /// An anonymous record, and the types of members that not every server has.
    case record([TypeOID: PGType])
    /// A base type of an extension that PGKit knows.
    case extensionType(ExtensionForm)
    /// A type whose values are those of a codec that a program brought.
    case custom(CustomCodec)
    /// A base type of which nothing is known: its values travel as text.
    case opaque
    /// A type that the server has no more.
    case gone
  }

  /// The name, with its schema where that is needed, quoted as in SQL.
  let name: String
  let kind: Kind
  /// The format to ask for results, worked out once: a type may have the same part many times over.
  let resultFormat: PGFormat

  init(name: String, _ kind: Kind) {
    (self.name, self.kind) = (name, kind)
    let parts: [PGType] =
      switch kind {
      case .domain(let part), .array(let part, _), .range(let part), .multirange(let part): [part]
      case .composite(let attributes): attributes.map(\.type)
      case .enumeration, .extensionType, .record: []
      // A codec says so itself.
      case .custom, .opaque, .gone: [PGType(.unspecified)]
      }
    resultFormat =
      parts.allSatisfy { BuiltinTypes.resultFormat(for: $0) == .binary } ? .binary : .text
  }
}

/// How the values of the types travel that well-known extensions bring.
///
/// Source: the extensions' own documentation in the PostgreSQL manual, "Additional Supplied Modules".
enum ExtensionForm: String, Sendable {
  case citext
  case ltree, lquery, ltxtquery
  case hstore
  case vector

  /// The extension that brings it.
  var extensionName: String {
    switch self {
    case .lquery, .ltxtquery: "ltree"
    case .citext, .ltree, .hstore, .vector: rawValue
    }
  }

  /// The built-in type with the same forms; none where there is no such type.
  var base: TypeOID {
    switch self {
    case .citext: .text
    // A version byte, and then the text, as jsonpath has it.
    case .ltree, .lquery, .ltxtquery: .jsonpath
    case .hstore: .hstore
    case .vector: .vector
    }
  }
}

extension TypeOID {
  // What extensions bring has another identifier in each database; these stand for it within PGKit.
  // No server gives them to a type: they lie above what its counter of identifiers reaches first.
  static let hstore: TypeOID = 0xFFFF_FF01
  static let vector: TypeOID = 0xFFFF_FF02
}
