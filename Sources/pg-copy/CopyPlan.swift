internal import PGCommandLine
internal import PGKit

/// What the command line means, checked as far as that is possible without a server.
struct CopyPlan {
  let request: CopyRequest
  let source: CopyPlace
  let rows: CopySource
  let receivers: [ReceiverOperand]

  var storing: StoringFlags { request.storing }
  var reading: ReadingFlags { request.reading }
  var running: RunningFlags { request.running }
  var reporting: ReportingFlags { request.reporting }
  /// How many parts are copied at a time.
  var jobs: Int { request.reading.jobs }
  /// Whether a table is copied in parts.
  var isSplit: Bool { reading.split != nil || jobs > 1 }

  /// Works it out.
  ///
  /// - Throws: ``Failure`` with status 64.
  init(_ request: CopyRequest) throws(Failure) {
    self.request = request
    source = try CopyPlace(request.source, as: "SOURCE")
    try Self.requireRows(request.rows)
    rows = CopySource(parsing: request.rows)
    var operands: [ReceiverOperand] = []
    for text in request.receivers { operands.append(try ReceiverOperand(text)) }
    receivers = operands
    try checkEnds()
    try checkFormat()
    try checkStoring()
    try checkReading()
    try checkRunning()
  }

  /// Nothing names no table, and is no query.
  private static func requireRows(_ text: String) throws(Failure) {
    let rest = text.filter { !$0.isWhitespace && $0 != ";" }
    guard rest.isEmpty || rest == "\"\"" else { return }
    throw .usage(
      "TABLE|QUERY is empty",
      hint: "write what is copied behind SOURCE: job, or 'SELECT …'; is a variable not set?")
  }

  private func checkEnds() throws(Failure) {
    let isQuery = rows.table == nil
    if !source.isServer, isQuery {
      let name = source == .standardStream ? "stdin" : "a file"
      throw .usage("from \(name), rows are copied into a table: write its name instead of a query")
    }
    guard !receivers.isEmpty else {
      throw .usage("no receiver is given", hint: "--to names one; --to - is stdout")
    }
    let outputs = receivers.count { $0.place == .standardStream }
    guard outputs < 2 else { throw .usage("stdout can receive only once") }
    guard source.isServer || receivers.allSatisfy(\.place.isServer) else {
      if source == .standardStream, outputs > 0 { throw .usage("stdin to stdout is cat's work") }
      throw .usage("one end must be a server: from a file to a file is cp's work")
    }
    if isQuery, receivers.contains(where: { $0.table == nil && $0.place.isServer }) {
      throw .usage("a query has no table's name to copy into", hint: "--to 'IRI;table=NAME'")
    }
  }

  /// Whether all ends are servers.
  var isAmongServers: Bool { source.isServer && receivers.allSatisfy(\.place.isServer) }

  private func checkFormat() throws(Failure) {
    if request.format == .csv, isAmongServers {
      throw .usage(
        "--format csv is for stdin, stdout and files; between servers the data travels as text or binary"
      )
    }
    if let encoding = request.encoding {
      if isAmongServers { throw .usage("--encoding is for stdin, stdout and files") }
      if request.format == .binary {
        throw .usage(
          "--encoding is for text and csv: the texts in binary data have the session's encoding",
          hint: "Set PGCLIENTENCODING, or client_encoding in the IRI.")
      }
      if encoding.isEmpty
        || !encoding.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || "-_".contains($0)) })
      {
        throw .usage("--encoding \(encoding): that is no name of an encoding")
      }
    }
  }

  private func checkStoring() throws(Failure) {
    if storing.freeze, storing.replace != .truncate {
      throw .usage("--freeze needs --replace truncate: only rows of a new table can be frozen")
    }
    if storing.onConflict != nil {
      if storing.freeze || storing.replace != nil {
        throw .usage("--on-conflict keeps what is there, and --replace does not")
      }
      if storing.atomic, receivers.count > 1 {
        throw .usage(
          "--on-conflict uses temporary tables, which --atomic's PREPARE TRANSACTION refuses")
      }
      if storing.verify, storing.onConflict == .nothing {
        throw .usage("--verify compares all rows, and --on-conflict nothing leaves some out")
      }
    }
    if storing.verify, !source.isServer {
      throw .usage("--verify needs a server as the source: the rows of others have no fixed form")
    }
    let servers = receivers.filter(\.place.isServer)
    if storing.replace != nil || storing.onConflict != nil || storing.verify, servers.isEmpty {
      throw .usage(
        "--replace, --on-conflict and --verify are about tables, and no receiver is a server")
    }
    if storing.atomic, servers.count < receivers.count {
      throw .usage("--atomic: stdout and files cannot be prepared for a commit")
    }
    try checkRejects()
  }

  private func checkRejects() throws(Failure) {
    guard let rejects = storing.rejects else {
      if storing.maxRejects != nil { throw .usage("--max-rejects needs --rejects") }
      return
    }
    if storing.rejectLimit < 0 { throw .usage("--max-rejects must be at least 0") }
    if rejects.isEmpty || rejects == "-" {
      throw .usage("--rejects \(rejects): it takes the path of a file", hint: "./- is one")
    }
    if receivers.count > 1 || !receivers[0].place.isServer {
      throw .usage("--rejects needs one receiver, a server")
    }
    if isSplit || storing.onConflict != nil || storing.freeze || storing.verify {
      throw .usage(
        "--rejects goes with none of --split, --jobs, --on-conflict, --freeze and --verify")
    }
    if request.format == .binary {
      throw .usage("--rejects writes rows as text: --format binary does not go with it")
    }
  }

  private func checkReading() throws(Failure) {
    guard (1...64).contains(jobs) else { throw .usage("--jobs must be between 1 and 64") }
    if case .parts(let count) = reading.split, !(1...SplitArgument.mostParts).contains(count) {
      throw .usage(
        "--split \(count): a table is cut into 1 to \(SplitArgument.mostParts) parts",
        hint: "a size cuts a table into as many as it has: --split 256MB")
    }
    if isSplit {
      guard source.isServer, rows.table != nil, receivers.allSatisfy(\.place.isServer) else {
        throw .usage("--split and --jobs are for tables that are copied between servers")
      }
      if jobs > 1, storing.replace == .truncate {
        throw .usage(
          "--replace truncate locks the table for one session, and --jobs needs several",
          hint: "With --replace delete one session empties the table and stores everything.")
      }
    }
    if let snapshot = reading.snapshot {
      guard source.isServer else { throw .usage("--snapshot: only a server has snapshots") }
      guard !snapshot.isEmpty, snapshot.utf8.count <= 100 else {
        throw .usage("--snapshot takes the name of a snapshot, or export")
      }
    }
  }

  private func checkRunning() throws(Failure) {
    if running.every != nil, running.job == nil {
      throw .usage("--every needs --job: the record of what was done has a name")
    }
    if let every = running.every, every.duration < .seconds(1) {
      throw .usage("--every must be at least 1s")
    }
    for (option, name) in [("--job", running.job), ("--single", running.single)] {
      guard let name else { continue }
      guard RunIdentity.isName(name) else {
        throw .usage(
          "\(option) \(name): a name has 1 to 63 letters, digits, dots, hyphens and underscores")
      }
    }
    if running.ifRunning != nil, running.single == nil {
      throw .usage("--if-running needs --single: the name by which runs know each other")
    }
    if running.job != nil, !receivers.contains(where: \.place.isServer) {
      throw .usage("--job keeps its record in a receiver, and none is a server")
    }
    if let deadline = running.deadline, deadline.duration <= .zero {
      throw .usage("--deadline must be longer than 0")
    }
    if let progress = request.reporting.progress, progress.duration < .milliseconds(10) {
      throw .usage("--progress must be at least 10ms")
    }
    guard (0...100).contains(running.retry) else {
      throw .usage("--retry must be between 0 and 100")
    }
    if running.retry > 0, !source.isServer {
      throw .usage("--retry needs a server as the source: what was read from others may be gone")
    }
    if running.retry > 0, receivers.contains(where: { $0.place == .standardStream }) {
      throw .usage("--retry: what was written to stdout stays written")
    }
  }
}

/// An end of the copying, as the command line names it.
enum CopyPlace: Equatable {
  /// `-`
  case standardStream
  /// A path.
  case file(String)
  /// Where to connect.
  case server(iri: String)

  /// Reads it.
  ///
  /// - Parameter role: What it is, for messages.
  /// - Throws: ``Failure`` with status 64 if there is nothing: most likely a variable that is not set.
  init(_ text: String, as role: String) throws(Failure) {
    if text.isEmpty {
      throw .usage(
        "\(role) is empty",
        hint: "pq:// is the server that the environment names; is a variable not set?")
    }
    if text == "-" {
      self = .standardStream
    } else if text.hasPrefix("/") || text.hasPrefix("./") || text.hasPrefix("../") {
      self = .file(text)
    } else {
      self = .server(iri: text)
    }
  }

  var isServer: Bool { if case .server = self { true } else { false } }
}
