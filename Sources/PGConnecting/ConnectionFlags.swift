public import ArgumentParser
internal import Glibc
public import PGCommandLine
public import PGKit

/// The flags that say where to connect beside an IRI, without a secret on the command line.
public struct ConnectionFlags: ParsableArguments {
  @Option(
    name: .customLong("iri-file"),
    help: ArgumentHelp("Take the IRI from this file.", valueName: "path"), completion: .file())
  var file: String?

  @Option(
    name: .customLong("iri-fd"),
    help: ArgumentHelp("Take the IRI from this open descriptor.", valueName: "fd"))
  var descriptorText: String?

  @Option(help: ArgumentHelp("The server's host, address or socket directory.", valueName: "host"))
  var host: String?

  @Option(help: ArgumentHelp("Its port.", valueName: "port"))
  var port: String?

  @Option(help: ArgumentHelp("The role to log in as.", valueName: "name"))
  var user: String?

  @Option(help: ArgumentHelp("The database.", valueName: "name"))
  var dbname: String?

  @Option(
    help: ArgumentHelp("Take the password from the first line of this file.", valueName: "path"),
    completion: .file())
  var passwordFile: String?

  /// Whether to print what is known of the connection instead of connecting.
  @Flag(
    name: .customLong("explain-iri"),
    help: "Print what is known of the connection and from where, and do not connect.")
  public var explains = false

  private var descriptor: Int32? { .read(descriptorText) }

  /// Refuses a descriptor that is no number.
  public func validate() throws { try Int32.check(descriptorText, "--iri-fd") }

  /// Makes flags that say nothing.
  public init() {}

  /// Whether the flags name a place by themselves, so that no IRI needs to be among the operands.
  public var namePlace: Bool {
    file != nil || descriptor != nil || host != nil || port != nil || user != nil || dbname != nil
  }

  /// Takes the IRI from the front of the operands, or from where the flags say.
  ///
  /// Where flags name a place, the first operand is an IRI only if it looks like one.
  ///
  /// - Throws: ``Failure`` with status 64 for two IRIs, 1 for a file that cannot be read.
  public func takeIRI(
    from operands: inout [String], program: String
  ) throws(Failure) -> String? {
    var iri: String?
    if let first = operands.first, !namePlace || Self.looksLikeIRI(first) {
      guard first.contains("=") || first.contains("://") || !first.contains(where: \.isWhitespace)
      else {
        throw Failure(
          .usage,
          Diagnostic(
            program: program, message: "\"\(first.prefix(40))\" is no IRI",
            details: [
              ("HINT", "the first operand says where to connect, unless flags do, as --dbname")
            ]))
      }
      iri = first
      operands.removeFirst()
    }
    guard file != nil || descriptor != nil else { return iri }
    guard iri == nil, file == nil || descriptor == nil else {
      throw Self.usage("the IRI is given twice", program)
    }
    let bytes: [UInt8]
    if let file {
      bytes = try TextFile.read(file, program: program)
    } else {
      bytes = try TextFile.read(descriptor: descriptor ?? -1, program: program)
    }
    let text = String(decoding: bytes, as: UTF8.self)
    guard let line = text.split(whereSeparator: \.isNewline).first else {
      throw Failure(
        .localFailure,
        Diagnostic(program: program, message: "\(file ?? "--iri-fd"): there is no IRI in it"))
    }
    return String(line)
  }

  /// What the flags say, which wins over the IRI.
  ///
  /// - Throws: ``Failure`` with status 64 for a port that is none, 1 for a file that cannot be read.
  public func overrides(program: String) throws(Failure) -> ConnectionOptions {
    var options = ConnectionOptions()
    options.hosts = host.map { $0.split(separator: ",").map(String.init) }
    options.user = user
    options.database = dbname
    if let port {
      let ports = port.split(separator: ",").map { Int($0) ?? 0 }
      guard !ports.isEmpty, ports.allSatisfy({ (1...65_535).contains($0) }) else {
        throw Self.usage("--port \(port): a port is a number from 1 to 65535", program)
      }
      options.ports = ports
    }
    if let passwordFile {
      let text = String(decoding: try TextFile.read(passwordFile, program: program), as: UTF8.self)
      options.password = String(text.prefix { !$0.isNewline })
    }
    return options
  }

  /// A scheme with a colon, or a keyword with an equals sign: no SQL begins so.
  private static func looksLikeIRI(_ text: String) -> Bool {
    let word = text.prefix { $0.isASCII && ($0.isLetter || $0 == "_") }
    guard !word.isEmpty else { return false }
    let rest = text.dropFirst(word.count)
    return rest.hasPrefix("://") || rest.hasPrefix("=")
  }

  private static func usage(_ message: String, _ program: String) -> Failure {
    Failure(.usage, Diagnostic(program: program, message: message))
  }
}

extension ConnectionFlags: PlainFlags {
  /// Flags that say nothing, without asking the parser.
  public static var none: ConnectionFlags {
    var flags = ConnectionFlags()
    flags.file = nil
    flags.descriptorText = nil
    flags.host = nil
    flags.port = nil
    flags.user = nil
    flags.dbname = nil
    flags.passwordFile = nil
    flags.explains = false
    return flags
  }
}
