import PGKit

// One piece of work for compare.py, on the server that the environment names. What it took without
// connecting goes to standard error, in the form that the other drivers' programs use, too:
//
//   WORK seconds=0.123456 ops=20000

let words = Array(CommandLine.arguments.dropFirst())

do {
  try await run(words)
} catch let error as PGError {
  complain(error.report)
} catch let error as WrongUse {
  complain(error.message)
} catch let error as WrongResult {
  complain(error.description)
}

/// Never in top-level code itself, which belongs to the main actor: there every step of a loop would
/// be a change of threads.
nonisolated func run(_ words: [String]) async throws {
  let count = words.dropFirst().compactMap { Int($0) }.first ?? 0
  switch words.first {
  case "roundtrips": try RoundTrips(count: count).run()
  case "row-roundtrips": try RoundTrips(count: count).runByRow()
  case "async-roundtrips": try await RoundTrips(count: count).runAsync()
  case "pipelined": try RoundTrips(count: count).runPipelined()
  case "rows": try Decoding.table.run(withStrings: true)
  case "rows-in-place": try Decoding.table.run(withStrings: false)
  case "async-rows": try await Decoding.table.runAsync()
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
