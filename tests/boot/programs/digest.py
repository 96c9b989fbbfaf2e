# digest.py: results of Python's interpreter and its C modules, as digests.  A program of run.sh's
# python part: what it prints must be what it prints on the processor that made the answers.
import array, ast, base64, binascii, bisect, bz2, cmath, collections, datetime, decimal, fractions
import hashlib, heapq, itertools, json, lzma, marshal, math, pickle, random, re, statistics, struct
import unicodedata, zlib

rng = random.Random(20240229)


def show(name, values):
    """One line: how many values, and the digest of all of them to the last bit."""
    h = hashlib.sha256()
    count = 0
    for v in values:
        h.update(repr(v).encode("utf-8", "surrogatepass") + b"\n")
        count += 1
    print(name, count, h.hexdigest(), flush=True)


def attempt(f, *a):
    try:
        return f(*a)
    except (ValueError, OverflowError, ZeroDivisionError, ArithmeticError) as e:
        return type(e).__name__


def some_floats(n):
    for _ in range(n):
        yield struct.unpack("<d", rng.getrandbits(64).to_bytes(8, "little"))[0]
        yield rng.uniform(-50, 50)
        yield rng.gauss(0, 1) * 10.0 ** rng.randint(-20, 20)


floats = list(some_floats(1500))
show("float repr", floats)
show("float text", [(float("%.*e" % (k % 18, x)), "%.12g" % x, x.hex()) for k, x in enumerate(floats)])
show("float parts", [(attempt(x.as_integer_ratio), attempt(round, x), attempt(math.frexp, x)) for x in floats])
for name in ("sin cos tan asin acos atan sinh cosh tanh asinh acosh atanh exp expm1 log log10 log1p "
             "log2 sqrt cbrt exp2 erf erfc gamma lgamma floor ceil trunc ulp").split():
    show("math." + name, [attempt(getattr(math, name), x) for x in floats])
show("math two", [(attempt(math.pow, x, y), attempt(math.fmod, x, y), attempt(math.atan2, x, y),
                   attempt(math.remainder, x, y), attempt(math.hypot, x, y), attempt(math.nextafter, x, y))
                  for x, y in zip(floats, floats[1:])])
show("cmath", [attempt(getattr(cmath, n), complex(x, y)) for x, y in zip(floats[:300], floats[7:])
               for n in ("sqrt", "exp", "log", "sin", "tanh", "acos", "phase")])
show("sums", [math.fsum(floats[k:k + 50]) if all(map(math.isfinite, floats[k:k + 50])) else 0
              for k in range(0, 4000, 50)])
show("sum of squares", [sum(x * x for x in floats if abs(x) < 1e100), math.dist(floats[1:4], floats[4:7])])

big = [rng.getrandbits(rng.randint(1, 3000)) * rng.choice((1, -1)) for _ in range(300)]
show("long", [(a * b, attempt(divmod, a, b), a & b, a ^ b, a >> 37, a << 91) for a, b in zip(big, big[1:])])
show("long text", [(str(a), hex(a), int(str(a)[-900:])) for a in big])
show("long power", [pow(a, abs(b), abs(a) | 1) for a, b in zip(big[:40], big[40:])])
show("isqrt gcd", [(math.isqrt(abs(a)), math.gcd(a, b), math.lcm(a, b)) for a, b in zip(big, big[9:])])
show("comb", [(math.comb(300, k), math.factorial(k)) for k in range(300)])
show("true division", [attempt(lambda: a / b) for a, b in zip(big, big[5:])])

for precision in (7, 28, 50, 200):
    c = decimal.Context(prec=precision, rounding=rng.choice([decimal.ROUND_HALF_EVEN, decimal.ROUND_UP]))
    d = [c.create_decimal(str(rng.uniform(0, 1e6)) + str(rng.getrandbits(100))) for _ in range(120)]
    show("decimal %d" % precision,
         [(c.multiply(a, b), c.divide(a, b), c.sqrt(a), c.add(a, b), c.ln(a), c.exp(c.divide(a, 100000)))
          for a, b in zip(d, d[1:])])
f = [fractions.Fraction(rng.getrandbits(64) + 1, rng.getrandbits(60) + 1) for _ in range(300)]
show("fractions", [(a + b, a * b, a / b, a.limit_denominator(1000), float(a)) for a, b in zip(f, f[1:])])
show("statistics", [statistics.fmean(floats[1:3000:3]), statistics.pstdev(floats[1:600:3]),
                    statistics.median(floats[1::3]), statistics.quantiles(floats[1::3], n=20)])
show("random", [rng.random() for _ in range(20000)])
show("random shapes", [(rng.gauss(0, 1), rng.expovariate(3), rng.betavariate(2, 3), rng.gammavariate(2, 2),
                        rng.vonmisesvariate(1, 2), rng.triangular()) for _ in range(2000)])
x = list(range(20000))
rng.shuffle(x)
show("sort", [sorted(x), sorted(floats[1::3]), sorted(map(str, x)), sorted(x, key=lambda v: -v % 777)])
heap = []
for v in x[:5000]:
    heapq.heappush(heap, v)
show("heap", [heapq.heappop(heap) for _ in range(5000)])
show("containers", [collections.Counter(v % 97 for v in x).most_common(), list(collections.deque(x, 50)),
                    [bisect.bisect(x[:100], v) for v in x], set(x[:3000]) == set(sorted(x[:3000])),
                    list(itertools.islice(itertools.permutations(range(9), 5), 0, None, 17))])

data = bytes(rng.getrandbits(8) & rng.choice((255, 15)) for _ in range(200000))
for name in ("md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_512 blake2b blake2s").split():
    show(name, [hashlib.new(name, data[:k]).hexdigest() for k in range(0, 600)] + [hashlib.new(name, data).hexdigest()])
show("pbkdf2", [hashlib.pbkdf2_hmac("sha512", data[:20], data[20:30], 2000), hashlib.scrypt(data[:9], salt=b"s", n=1024, r=8, p=1)])
show("crc", [(zlib.crc32(data[k:]), zlib.adler32(data[k:]), binascii.crc_hqx(data[k:k + 500], 0)) for k in range(0, 3000, 7)])
for level in (1, 6, 9):
    z = zlib.compress(data, level)
    show("zlib %d" % level, [z, zlib.decompress(z) == data])
z = bz2.compress(data)
show("bz2", [z, bz2.decompress(z) == data])
z = lzma.compress(data, preset=2)
show("lzma", [z, lzma.decompress(z) == data])
show("base64", [base64.b64encode(data), base64.b85encode(data[:9000]), base64.b32encode(data), binascii.hexlify(data)])
show("struct", [struct.pack("<bhiqfd", *(v & 127, v, v << 9, v << 40, v / 3, v / 7)) for v in x[:3000]])
show("struct halves", [struct.unpack("<e", struct.pack("<H", k)) for k in range(0, 65536, 3)])
a = array.array("i", x)
a.byteswap()
show("array", [a.tobytes(), array.array("d", floats[1::3]).tobytes(), memoryview(data)[::-3].tobytes()])

text = "".join(rng.choice("abcdefg hij\u00e9\u4e2d\U0001f600\n0123") for _ in range(60000))
show("re", [re.findall(r"(\w+)\s+(\d+)", text), re.sub(r"(a|b)+c?", lambda m: m.group().upper(), text),
            re.split(r"[\n ]+", text), [m.span() for m in re.finditer(r"(?=(.)(.)\1)", text)]])
show("unicode", [text.upper(), text.encode("utf-16"), text.encode("utf-8").decode("latin-1"), text.title(),
                 unicodedata.normalize("NFKD", text), text.split(), text.translate({97: "xy", 98: None}),
                 text.count("abc"), text.find("gfe"), text.replace("ab", "--"), text.casefold()])
tree = {"f": floats[1:3000:3], "n": x[:1000], "t": text[:5000], "d": {str(k): [k, None, True] for k in range(500)}}
show("json", [json.dumps(tree), json.loads(json.dumps(tree)) == tree, json.dumps(tree, indent=1, sort_keys=True)])
show("pickle", [pickle.loads(pickle.dumps(tree, p)) == tree for p in range(6)] + [pickle.dumps(tree, 4), marshal.dumps(tree["d"])])
source = "def f(a, b=3):\n    return [a * k + b for k in range(a) if k % 3] or {'x': a}\n" * 200
show("compiler", [ast.dump(ast.parse(source)), compile(source, "s", "exec").co_code])
show("dates", [(datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=v * 86399.25)).isoformat() for v in x[:3000]])


def ackermann(m, n):
    return n + 1 if m == 0 else ackermann(m - 1, 1 if n == 0 else ackermann(m, n - 1))


def queens(n, row=0, cols=0, up=0, down=0):
    if row == n:
        return 1
    return sum(queens(n, row + 1, cols | 1 << c, up | 1 << (row + c), down | 1 << (row - c + n))
               for c in range(n) if not (cols >> c & 1 or up >> (row + c) & 1 or down >> (row - c + n) & 1))


show("calls", [ackermann(2, 60), queens(7)])


def mandelbrot(size):
    for py in range(size):
        for px in range(size):
            z, c, n = 0j, complex(px / size * 3 - 2, py / size * 3 - 1.5), 0
            while abs(z) < 2 and n < 40:
                z, n = z * z + c, n + 1
            yield n


show("mandelbrot", mandelbrot(80))
