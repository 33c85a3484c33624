-- The event stream format: one event, whatever its name and its JSON look like, is one event of the stream.
local sse = require("core.test").sse

describe("an event of an event stream", function()
  it("has its name, its data and a blank line", function()
    assert.equal('event: order-paid\ndata: {"total":"12.50"}\n\n', sse.encode('"order-paid"', '{"total":"12.50"}'))
  end)

  it("has its id, when there is one", function()
    assert.equal("event: a\ndata: 1\nid: 00042\n\n", sse.encode('"a"', "1", "00042"))
  end)

  it("has a data line for each line of the attributes", function()
    assert.equal('event: a\ndata: {\ndata:   "b": 1\ndata: }\n\n', sse.encode('"a"', '{\n  "b": 1\n}'))
    assert.equal("event: a\ndata: [\ndata: 1,\ndata: 2\ndata: ]\n\n", sse.encode('"a"', "[\r\n1,\r2\n]"))
  end)

  it("keeps an empty line between others", function()
    assert.equal("event: a\ndata: [\ndata: \ndata: ]\n\n", sse.encode('"a"', "[\n\n]"))
  end)

  it("has its name decoded, on one line", function()
    assert.equal("event: ä  b: c\ndata: 1\n\n", sse.encode([["\u00e4\r\nb: c"]], "1"))
  end)
end)

describe("the heartbeat of an event stream", function()
  it("is a comment", function()
    assert.equal(":\n\n", sse.beat())
    assert.equal(":\n\n", sse.beat())
  end)
end)
