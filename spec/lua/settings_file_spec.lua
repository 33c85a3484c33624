local settings_file = require "settings.file"

-- The values by name; fails the example when the text cannot be read.
local function read(text)
  local values = {}
  for name, entry in pairs(assert(settings_file.parse(text, ".env"))) do values[name] = entry.value end
  return values
end

local function fault(text)
  local entries, line = settings_file.parse(text, ".env")
  assert.is_nil(entries)
  return line
end

describe("the .env file", function()
  it("reads the seed's own file as it stands", function()
    assert.same({
      DEV_APP_PORT = "9999", DEV_JWT_SECRET = "[your jwt secret key]", DEV_MAX_REQ_SIZE = "50mb",
    }, read [[
DEV_APP_PORT = 9999 // default is 3000
DEV_JWT_SECRET = [your jwt secret key] // (*)
DEV_MAX_REQ_SIZE = 50mb // Max http request size (*)
]])
  end)

  it("drops blanks around the name and the value", function()
    assert.same({ A = "1", B = "2 3", C = "4" }, read "A=1\n  B\t= \t2 3  \n\tC =4")
  end)

  it("takes export before a name, and export as a name", function()
    assert.same({ A = "1", B = "2", export = "3" }, read "export A=1\n  export\tB = 2\nexport=3\n")
  end)

  it("skips blank lines and comments of both kinds", function()
    assert.same({ A = "1" }, read "\n# one\n  # two\n//three\n \t \nA=1\n#last")
  end)

  it("ends a value at # and // only after a blank", function()
    assert.same({
      URL = "http://x/y#z", HASH = "#abc", PATH = "//abc", CUT = "a", BOTH = "a#b//c", TAB = "a",
    }, read "URL=http://x/y#z # no\nHASH=#abc\nPATH=//abc\nCUT = a #b //c\nBOTH=a#b//c // d\nTAB=a\t//b")
  end)

  it("gives an empty value when nothing or only a comment follows", function()
    assert.same({ A = "", B = "", C = "", D = "", E = "" }, read "A=\nB=   \nC= # c\nD = // d\nE=''")
  end)

  it("keeps everything within quotes", function()
    assert.same({ A = " a # b // c ", B = 'so "it" is', C = "it's $HOME" },
      read("A = \" a # b // c \"  # end\nB='so \"it\" is'\nC = \"it's $HOME\"\t// end"))
  end)

  it("knows the escapes \\n, \\\" and \\\\ in double quotes and leaves other backslashes", function()
    assert.same({ A = 'a\nb"c\\d', B = "\\t\\$\\\\n" }, read 'A="a\\nb\\"c\\\\d"\nB="\\t\\$\\\\\\\\n"')
  end)

  it("knows no escapes in single quotes", function()
    assert.same({ A = "a\\nb\\", B = "c" }, read "A='a\\nb\\'\nB=c")
  end)

  it("lets a value in quotes run over several lines", function()
    local entries = assert(settings_file.parse('A="1\n2\n"\nB=3\n', ".env"))
    assert.same({ value = "1\n2\n", line = 1 }, entries.A)
    assert.same({ value = "3", line = 4 }, entries.B)
  end)

  it("takes quotes that are not at the start as plain letters", function()
    assert.same({ A = "don't", B = 'say "x"' }, read "A=don't\nB=say \"x\"\n")
  end)

  it("reads CRLF, a byte order mark and a last line without an end", function()
    assert.same({ A = "1", B = "2", C = "3" }, read "\239\187\191A=1\r\nB='2'\r\nC=3")
  end)

  it("takes the last of two values of one name", function()
    assert.same({ A = "2" }, read "A=1\nA=2\n")
  end)

  it("takes names of other programs with dots and dashes", function()
    assert.same({ ["a.b-c"] = "1", _x9 = "2" }, read "a.b-c=1\n_x9=2")
  end)

  it("reads empty text", function()
    assert.same({}, read "")
    assert.same({}, read "\239\187\191")
  end)

  it("names the line that it cannot read", function()
    local line = ".env line %d cannot be read: a line is NAME=value or a # comment"
    assert.equal(line:format(3), fault "A=1\n\nwhat is this\nB=2")
    assert.equal(line:format(1), fault "=1")
    assert.equal(line:format(1), fault "9A=1")
    assert.equal(line:format(4), fault "A='1\n2\n3'\nB 4")
  end)

  it("names the line where a quote opens that is never closed", function()
    assert.equal(".env line 2 cannot be read: the quote is never closed", fault "A=1\nB=\"2\nC=3\n")
    assert.equal(".env line 1 cannot be read: the quote is never closed", fault [[A="2\"]])
  end)

  it("refuses text behind a closing quote, unless it is a comment after a blank", function()
    assert.equal(".env line 1 cannot be read: there is text after the closing quote", fault "A='1' 2")
    assert.equal(".env line 1 cannot be read: there is text after the closing quote", fault "A='1'#2")
    assert.same({ A = "1" }, read "A='1' #2")
  end)
end)
