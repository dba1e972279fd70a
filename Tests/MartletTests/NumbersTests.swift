import MartletTesting
import Testing

@testable import Martlet

@Suite struct NumbersTests {
  @Test("Numbers and booleans stand in HTML as they are, anywhere")
  func html() {
    let response = MartletTests.response { _, response in
      response.html(
        """
        <p class=\(FixedPoint(-5, digits: 2)) \(true)>\(nil as FixedPoint?)|\(FixedPoint(7, digits: 1) as FixedPoint?)|\
        \(2.5)|\(nil as Double?)|\(1e21 as Double?)|\(2.675, digits: 2)|\(nil as Double?, digits: 2)|\
        \(3 as Int?)|\(nil as Int?)|\(Double.nan)|\(-Double.infinity, digits: 1)|\(false)
        """)
    }
    #expect(
      response.body == "<p class=-0.05 true>|0.7|2.5||1e+21|2.67||3||NaN|-Infinity|false")
  }

  @Test("The longest numbers fit")
  func longest() {
    let response = MartletTests.response { _, response in
      response.plain(
        "\(-Double.greatestFiniteMagnitude, digits: 18) \(-Double.leastNormalMagnitude.nextUp) \(FixedPoint(Int64.min, digits: 18))"
      )
    }
    #expect(response.body.hasPrefix("-17976931348623157"))
    #expect(response.body.hasSuffix(".000000000000000000 -2.225073858507202e-308 -9.223372036854775808"))
  }
}
