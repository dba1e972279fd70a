// Lines of a GPIO chip on a page: two lamps to switch, and a button whose state the page shows. On a machine without a
// chip the lines are simulated, and the red lamp presses the button.
//
//     gpio-example                       a Raspberry Pi: lamps at GPIO 17 and 27, a button from GPIO 22 to ground

import Martlet

/// A line of a chip, or a simulated one.
struct Line: ~Copyable {
  private let real: GPIOLine?
  private var simulated: Bool

  init(_ number: Int, _ use: GPIOLine.Use) {
    simulated = if case .inputPulledUp = use { true } else { false }
    do throws(FileError) {
      real = try GPIOLine(number, use)
    } catch {
      guard error.reason == .notThere else {
        var message = Message("gpio-example: line ")
        message.add(number)
        message.add(" of /dev/gpiochip0: ")
        message.add(error.text)
        message.fail()
      }
      real = nil
    }
  }

  var isSimulated: Bool { real == nil }

  /// Whether the line is high; `nil` where the chip does not say.
  var isHigh: Bool? {
    switch real {
    case .some(let line): try? line.isHigh()
    case .none: simulated
    }
  }

  mutating func set(_ isHigh: Bool) throws(FileError) {
    switch real {
    case .some(let line): try line.set(isHigh)
    case .none: simulated = isHigh
    }
  }
}

struct Site: Application, ~Copyable {
  var red = Line(17, .output(isHigh: false))
  var green = Line(27, .output(isHigh: false))
  var button = Line(22, .inputPulledUp)

  enum Page: UInt8 { case index, lamp }

  static func route(to page: Page) -> Route {
    switch page {
    case .index: .get("/", for: .everyone)
    case .lamp: .post("/lamps/<lamp>", for: .everyone)
    }
  }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    guard page == .lamp else { return index(response) }
    let isOn = request.form.has("on")
    let isRed = request.parameter(named: "lamp")?.equals("red") ?? false
    let isGreen = request.parameter(named: "lamp")?.equals("green") ?? false
    do throws(FileError) {
      if isRed {
        try red.set(isOn)
        if button.isSimulated { try button.set(!isOn) }
      } else if isGreen {
        try green.set(isOn)
      } else {
        return response.refuse(.notFound, "There is no such lamp.")
      }
    } catch {
      return response.refuse(.internalServerError, "The lamp cannot be switched: \(error.text).")
    }
    return response.redirect("/", .seeOther)
  }

  func index(_ response: consuming Response<Self>) -> Answer {
    // The button connects its line to ground.
    let isPressed = button.isHigh.map { !$0 }
    var body = response.body()
    body.write(
      """
      <!doctype html>
      <meta name="viewport" content="width=device-width"><meta http-equiv="refresh" content="5">
      <title>Lamps</title>
      <h1>Lamps</h1>

      """)
    write("red", red.isHigh, to: &body)
    write("green", green.isHigh, to: &body)
    let state: StaticString = isPressed == nil ? "not there" : isPressed == true ? "pressed" : "up"
    body.write("<p>The button is \(state).</p>\n")
    return body.end()
  }

  func write(_ name: StaticString, _ isOn: Bool?, to body: inout Body<Self>) {
    body.write("<form method=\"post\" action=\"/lamps/\(name)\">The \(name) lamp is ")
    body.write("\(isOn == nil ? "not there" : isOn == true ? "on" : "off"). ")
    if isOn == true {
      body.write("<button name=\"off\" value=\"yes\">Switch the \(name) lamp off</button></form>\n")
    } else {
      body.write("<button name=\"on\" value=\"yes\">Switch the \(name) lamp on</button></form>\n")
    }
  }
}

@main
enum GpioExample {
  static func main() {
    serve(Site(), Options(program: "gpio-example", listen: "127.0.0.1:5000"))
  }
}
