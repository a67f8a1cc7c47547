internal import PGConnecting
internal import PGKit

/// The name of a prepared transaction: `pgkit:JOB:RUN:NUMBER:SYSTEM:PLACE:TRANSACTION`.
struct PreparedName: Equatable {
  /// The transaction that decides, and where it is.
  struct Decider: Equatable {
    /// The identifier of its server, which the copies of a data directory share.
    let system: String
    /// What tells its server from those, unless it is reached by another way: eight hexadecimal digits
    /// made of host, port and database.
    let place: String
    /// Its number there.
    let transaction: Int

    init(system: String, place: String, transaction: Int) {
      self.init(system: system, digits: Self.digits(of: place), transaction: transaction)
    }

    fileprivate init(system: String, digits: String, transaction: Int) {
      (self.system, place, self.transaction) = (system, digits, transaction)
    }

    /// Whether an end was reached in the same way.
    func isAt(_ end: ServerEnd) -> Bool { Self.digits(of: end.place) == place }

    /// The 32-bit FNV-1a hash: a name has 199 bytes, and a place any number.
    private static func digits(of place: String) -> String {
      let hash = place.utf8.reduce(0x811C_9DC5 as UInt32) { ($0 ^ UInt32($1)) &* 0x0100_0193 }
      let digits = String(hash, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }
  }

  let identity: RunIdentity
  /// Which of the run's prepared transactions it is, from 1.
  let number: Int
  let decider: Decider

  /// What every name begins with.
  static let prefix = "pgkit:"

  init(identity: RunIdentity, number: Int, decider: Decider) {
    (self.identity, self.number, self.decider) = (identity, number, decider)
  }

  /// Reads a name; `nil` if it is another one.
  init?(_ text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 7, parts[0] + ":" == Self.prefix, RunIdentity.isName(parts[1]),
      let number = Int(parts[3]), let transaction = Int(parts[6])
    else { return nil }
    self.init(
      identity: RunIdentity(job: parts[1], run: parts[2]), number: number,
      decider: Decider(system: parts[4], digits: parts[5], transaction: transaction))
  }

  /// The name.
  var text: String {
    "\(Self.prefix)\(identity.job):\(identity.run):\(number)"
      + ":\(decider.system):\(decider.place):\(decider.transaction)"
  }

  /// Those of this program that a database has, the oldest first.
  ///
  /// - Parameter job: Only those of this one; `nil` is all.
  static func all(of job: String? = nil, _ connection: Connection) throws(PGError) -> [PreparedName]
  {
    let rows = try connection.query(
      """
      SELECT gid FROM pg_catalog.pg_prepared_xacts
      WHERE database = pg_catalog.current_database() AND pg_catalog.strpos(gid, $1) = 1 ORDER BY prepared
      """, job.map { prefix + $0 + ":" } ?? prefix)
    var names: [PreparedName] = []
    for row in rows {
      if let name = PreparedName(try row[0, as: String.self]) { names.append(name) }
    }
    return names
  }

  /// Ends a prepared transaction, connecting again where the session is lost.
  ///
  /// - Returns: Whether it is ended, which it also is when it is not there any more.
  static func settle(_ name: PreparedName, commits: Bool, at lane: ServerEnd) -> Bool {
    for attempt in 0..<Self.attempts {
      // Who is to end soon leaves what cannot be ended at once.
      if attempt > 1, Interruptions.shared.isHurried { return false }
      if attempt > 0 { RetryPolicy(triesAll: false).sleep(before: attempt + 2, until: .never) }
      do throws(PGError) {
        let connection =
          attempt == 0 ? try lane.session() : try lane.connectBeside()
        defer { if attempt > 0 { connection.close() } }
        let word = commits ? "COMMIT" : "ROLLBACK"
        let statement = "\(word) PREPARED \(try SQL.quoteLiteral(name.text))"
        try Interruptions.shared.awaiting(connection.fileDescriptor) { () throws(PGError) in
          try connection.execute(statement)
        }
        return true
      } catch {
        switch error.code {
        case .undefinedObject:
          if let isEnded = isEnded(commits: commits, at: lane) { return isEnded }
        // The session that was lost is still at it.
        case .objectInUse: continue
        default: if error.fault == .server, error.fields?.isFatal != true { return false }
        }
      }
    }
    return false
  }

  /// Whether a transaction that is not prepared was ended as it was to be; `nil` while it is under way: a
  /// session that was lost while it prepared it may still do so.
  private static func isEnded(commits: Bool, at lane: ServerEnd) -> Bool? {
    // Without a number it is somebody else's, who ends it, too.
    guard let number = lane.transactionID else { return false }
    switch try? CommitOutcome.status(of: number, at: lane) {
    case "committed": return commits
    case "aborted": return !commits
    default: return nil
    }
  }

  private static let attempts = 6
}
