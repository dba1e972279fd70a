// A program that allocates wherever a program may: arrays, a dictionary, classes, closures, texts.

import Martlet

class Sensor {
  let name: String
  var samples: [Int] = []
  init(_ name: String) { self.name = name }
  func sample(_ value: Int) { samples.append(value) }
  var text: String { "\(name) has \(samples.count) samples, their sum is \(samples.reduce(0, +))" }
}

final class Thermometer: Sensor {
  override func sample(_ value: Int) { super.sample(value * 10) }
}

struct Site: Application {
  let sensors: [Sensor] = [Sensor("first"), Thermometer("second")]
  var visits: [Int: Int] = [:]
  let steps: [(Int) -> Int] = (1...3).map { factor in { $0 * factor } }

  enum Page: UInt8 { case index }

  static func route(to page: Page) -> Route { .get("/", for: .everyone) }

  mutating func respond(
    to page: Page, _ request: borrowing Request<Self>, _ response: consuming Response<Self>
  ) -> Answer {
    for i in 0..<1_000 { visits[i, default: 0] += 1 }
    for step in steps { for sensor in sensors { sensor.sample(step(visits[7] ?? 0)) } }
    let text = sensors.map { [UInt8]($0.text.utf8) }.joined(separator: [0x3B, 0x20])
    var body = response.body(mediaType: "text/plain; charset=utf-8")
    body.write(octets: [UInt8](text).span)
    return body.end()
  }
}

@main
enum Heap {
  static func main() {
    serve(Site(), Options(program: "heap", listen: "127.0.0.1:0"))
  }
}
