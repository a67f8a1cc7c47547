internal import ArgumentParser
internal import PGCommandLine
internal import PGKit

/// What initdb is told.
struct InitDBOptions: ParsableArguments {
  @Option(help: ArgumentHelp("The encoding.", valueName: "name"))
  var encoding = usualEncoding

  private static let usualEncoding = "UTF8"

  @Option(help: ArgumentHelp("The locale; by default C.UTF-8, else C.", valueName: "name"))
  var locale: String?

  @Flag(help: "Give every page of data a checksum.")
  var checksums = false

  @Option(help: ArgumentHelp("The size of a WAL file.", valueName: "megabytes"))
  var walSegsize: Int?

  @Option(
    name: .customLong("initdb-arg"), parsing: .unconditionalSingleValue,
    help: ArgumentHelp("One more argument for initdb; may be repeated.", valueName: "argument"))
  var others: [String] = []

  func validate() throws {
    if let walSegsize, !(1...1024).contains(walSegsize) || walSegsize & (walSegsize - 1) != 0 {
      throw ValidationError("--wal-segsize takes a power of two from 1 to 1024, in megabytes")
    }
  }

  /// What has no option of the library's.
  var arguments: [String] {
    (checksums ? ["--data-checksums"] : []) + (walSegsize.map { ["--wal-segsize=\($0)"] } ?? [])
      + others
  }
}

extension InitDBOptions: PlainFlags {
  static var none: InitDBOptions {
    var flags = InitDBOptions()
    flags.encoding = usualEncoding
    flags.locale = nil
    flags.checksums = false
    flags.walSegsize = nil
    flags.others = []
    return flags
  }
}
