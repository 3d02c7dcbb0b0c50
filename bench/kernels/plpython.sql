-- Some of the kernels in PL/Python: the same steps as in C, so the same results.
-- No library does the work: what is compared is the language.

CREATE FUNCTION plpython_sieve(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
total = 0
for repetition in range(repetitions):
    n = size - repetition
    composite = bytearray(n)
    i = 2
    while i * i < n:
        if not composite[i]:
            for j in range(i * i, n, i):
                composite[j] = 1
        i += 1
    for k in range(2, n):
        if not composite[k]:
            total += 1
return total
$$;

CREATE FUNCTION plpython_crc32(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
entries = []
for i in range(256):
    crc = i
    for bit in range(8):
        crc = crc >> 1 ^ 0xEDB88320 if crc & 1 else crc >> 1
    entries.append(crc)
seed = 1
data = bytearray(size)
for i in range(size):
    seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
    data[i] = seed >> 8 & 255
crc = 0
for repetition in range(repetitions):
    data[0] = crc & 255
    crc = 0xFFFFFFFF
    for byte in data:
        crc = entries[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xFFFFFFFF
return crc
$$;

CREATE FUNCTION plpython_matrix(size integer, repetitions integer) RETURNS double precision
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
seed = 2
a = []
b = []
for i in range(size * size):
    seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
    a.append((seed >> 8) / 16777216)
    seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
    b.append((seed >> 8) / 16777216)
c = [0.0] * (size * size)
for repetition in range(repetitions):
    for i in range(size):
        for j in range(size):
            total = 0.0
            for k in range(size):
                total += a[i * size + k] * b[k * size + j]
            c[i * size + j] = total
    a[repetition % size] = c[repetition % size] / size
total = 0.0
for value in c:
    total += value
return total
$$;

CREATE FUNCTION plpython_nbody(size integer, repetitions integer) RETURNS double precision
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
from math import sqrt

TIME_STEP = 0.001

class Body:
    __slots__ = ("x", "y", "z", "vx", "vy", "vz", "mass")

seed = 3
bodies = []
for i in range(size):
    random = []
    for k in range(4):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        random.append(seed >> 8)
    body = Body()
    body.x = random[0] / 1048576 - 8
    body.y = random[1] / 1048576 - 8
    body.z = random[2] / 1048576 - 8
    body.vx = body.vy = body.vz = 0.0
    body.mass = 1 + random[3] / 16777216
    bodies.append(body)
for repetition in range(repetitions):
    for i in range(size):
        a = bodies[i]
        for j in range(i + 1, size):
            b = bodies[j]
            dx = a.x - b.x
            dy = a.y - b.y
            dz = a.z - b.z
            square = dx * dx + dy * dy + dz * dz + 0.01
            magnitude = TIME_STEP / (square * sqrt(square))
            a.vx -= dx * b.mass * magnitude
            a.vy -= dy * b.mass * magnitude
            a.vz -= dz * b.mass * magnitude
            b.vx += dx * a.mass * magnitude
            b.vy += dy * a.mass * magnitude
            b.vz += dz * a.mass * magnitude
    for body in bodies:
        body.x += TIME_STEP * body.vx
        body.y += TIME_STEP * body.vy
        body.z += TIME_STEP * body.vz
energy = 0.0
for i in range(size):
    a = bodies[i]
    energy += 0.5 * a.mass * (a.vx * a.vx + a.vy * a.vy + a.vz * a.vz)
    for j in range(i + 1, size):
        b = bodies[j]
        dx = a.x - b.x
        dy = a.y - b.y
        dz = a.z - b.z
        energy -= a.mass * b.mass / sqrt(dx * dx + dy * dy + dz * dz + 0.01)
return energy
$$;

CREATE FUNCTION plpython_edit_distance(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
seed = 4
left = []
right = []
for i in range(size):
    seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
    left.append((seed >> 8) % 8)
    seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
    right.append((seed >> 8) % 8)
total = 0
for repetition in range(repetitions):
    left[repetition % size] = repetition % 8
    row = list(range(size + 1))
    for i in range(size):
        diagonal = row[0]
        row[0] = i + 1
        for j in range(size):
            above = row[j + 1]
            least = row[j] + 1
            if above + 1 < least:
                least = above + 1
            if left[i] != right[j]:
                diagonal += 1
            if diagonal < least:
                least = diagonal
            row[j + 1] = least
            diagonal = above
    total += row[size]
return total
$$;

CREATE FUNCTION plpython_quicksort(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
def sort(numbers, first, last):
    if last - first < 12:
        for k in range(first + 1, last + 1):
            value = numbers[k]
            j = k
            while j > first and numbers[j - 1] > value:
                numbers[j] = numbers[j - 1]
                j -= 1
            numbers[j] = value
        return
    a = numbers[first]
    b = numbers[first + (last - first + 1) // 2]
    c = numbers[last]
    pivot = max(min(a, b), min(max(a, b), c))
    i = first
    j = last
    while i <= j:
        while numbers[i] < pivot:
            i += 1
        while numbers[j] > pivot:
            j -= 1
        if i <= j:
            numbers[i], numbers[j] = numbers[j], numbers[i]
            i += 1
            j -= 1
    sort(numbers, first, j)
    sort(numbers, i, last)

seed = 8
total = 0
for repetition in range(repetitions):
    numbers = []
    for k in range(size):
        seed = (seed * 1664525 + 1013904223) & 0xFFFFFFFF
        numbers.append(seed >> 8)
    sort(numbers, 0, size - 1)
    for k in range(0, size, 100):
        total = (total * 31 + numbers[k]) & 0xFFFFFFFF
return total
$$;

CREATE FUNCTION plpython_mandelbrot(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpython3u IMMUTABLE STRICT PARALLEL SAFE AS $$
total = 0
for repetition in range(repetitions):
    for row in range(size):
        for column in range(size):
            cx = 3.0 * column / size - 2
            cy = 3.0 * row / size - 1.5 + repetition * 0.001
            x = y = 0.0
            n = 0
            while n < 50 and x * x + y * y <= 4:
                x, y = x * x - y * y + cx, 2 * x * y + cy
                n += 1
            total += n
return total
$$;
