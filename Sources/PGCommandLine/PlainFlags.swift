public import ArgumentParser

/// Flags that can be had without the parser, as they are where the command line has none of them.
///
/// Finding out what a program's flags are takes the parser four fifths of the start of a program that has
/// many of them, and what scripts run again and again has few.
public protocol PlainFlags: ParsableArguments {
  /// Every flag as where it is not given.
  static var none: Self { get }
}

extension PlainFlags {
  /// The names of the flags that ``none`` forgets: reading one of them would end the process.
  public static var forgotten: [String] {
    Mirror(reflecting: none).children.compactMap { child in
      // A wrapper that was given no value says so.
      guard String(describing: child.value).contains("*definition*") else { return nil }
      return child.label.map { String($0.drop { $0 == "_" }) }
    }
  }
}
