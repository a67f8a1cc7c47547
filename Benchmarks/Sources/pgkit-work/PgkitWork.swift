import Dispatch
import PGKit
import Synchronization

// One piece of work for compare.py, on the server that the environment names. What it took without
// connecting goes to standard error, in the form that the other drivers' programs use, too:
//
//   WORK seconds=0.123456 ops=20000

/// What needs no tasks runs without any, as in a program that has no use for them: the process has one thread
/// then, as one that uses libpq has.
@main
enum PgkitWork {
  static func main() {
    do { try run(Array(CommandLine.arguments.dropFirst())) } catch let error as PGError {
      complain(error.report)
    } catch let error as WrongUse {
      complain(error.message)
    } catch {
      complain("\(error)")
    }
  }

  private static func run(_ words: [String]) throws {
    let count = words.dropFirst().compactMap { Int($0) }.first ?? 0
    switch words.first {
    case "roundtrips": try RoundTrips(count: count).run()
    case "row-roundtrips": try RoundTrips(count: count).runByRow()
    case "async-roundtrips": try inTask { try await RoundTrips(count: count).runAsync() }
    case "pipelined": try RoundTrips(count: count).runPipelined()
    case "rows": try Decoding.table.run(withStrings: true)
    case "rows-in-place": try Decoding.table.run(withStrings: false)
    case "async-rows": try inTask { try await Decoding.table.runAsync() }
    case "many-rows": try Decoding.generated(count).run(withStrings: true)
    case "columns": try Columns(count: count).run()
    case "insert": try Inserting(count: count).runPipelined()
    case "copy-rows": try Inserting(count: count).runCopy()
    case "idle": try Idle(count: count).run()
    default:
      throw WrongUse(
        message: """
          usage: pgkit-work roundtrips|row-roundtrips|async-roundtrips|pipelined|many-rows|columns|insert|copy-rows|idle N
                 pgkit-work rows|rows-in-place|async-rows
          """)
    }
  }

  /// Never on the main actor: there every step of a loop would be a change of threads.
  private static func inTask(_ work: @escaping @Sendable () async throws -> Void) throws {
    let outcome = Mutex<(any Error)?>(nil)
    let isOver = DispatchSemaphore(value: 0)
    Task.detached {
      do { try await work() } catch { outcome.withLock { $0 = error } }
      isOver.signal()
    }
    isOver.wait()
    if let failure = outcome.withLock({ $0 }) { throw failure }
  }
}
