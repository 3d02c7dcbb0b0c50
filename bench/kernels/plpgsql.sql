-- Some of the kernels in PL/pgSQL: the same steps as in C, so the same results.
-- Arrays begin at 0 there, and at 1 here.

CREATE FUNCTION plpgsql_sieve(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    composite boolean[];
    total bigint := 0;
    n integer;
    i integer;
    j integer;
BEGIN
    FOR repetition IN 0 .. repetitions - 1 LOOP
        n := size - repetition;
        composite := array_fill(false, ARRAY[n], ARRAY[0]);
        i := 2;
        WHILE i * i < n LOOP
            IF NOT composite[i] THEN
                j := i * i;
                WHILE j < n LOOP
                    composite[j] := true;
                    j := j + i;
                END LOOP;
            END IF;
            i := i + 1;
        END LOOP;
        FOR k IN 2 .. n - 1 LOOP
            IF NOT composite[k] THEN
                total := total + 1;
            END IF;
        END LOOP;
    END LOOP;
    RETURN total;
END $$;

CREATE FUNCTION plpgsql_crc32(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    entries bigint[] := array_fill(0::bigint, ARRAY[256], ARRAY[0]);
    data integer[] := array_fill(0, ARRAY[size], ARRAY[0]);
    seed bigint := 1;
    crc bigint;
BEGIN
    FOR i IN 0 .. 255 LOOP
        crc := i;
        FOR bit IN 0 .. 7 LOOP
            IF crc & 1 = 1 THEN
                crc := (crc >> 1) # 3988292384;
            ELSE
                crc := crc >> 1;
            END IF;
        END LOOP;
        entries[i] := crc;
    END LOOP;
    FOR i IN 0 .. size - 1 LOOP
        seed := (seed * 1664525 + 1013904223) & 4294967295;
        data[i] := (seed >> 8) & 255;
    END LOOP;
    crc := 0;
    FOR repetition IN 1 .. repetitions LOOP
        data[0] := crc & 255;
        crc := 4294967295;
        FOR i IN 0 .. size - 1 LOOP
            crc := entries[(crc # data[i]) & 255] # (crc >> 8);
        END LOOP;
        crc := crc # 4294967295;
    END LOOP;
    RETURN crc;
END $$;

CREATE FUNCTION plpgsql_matrix(size integer, repetitions integer) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    a double precision[] := array_fill(0::float8, ARRAY[size * size], ARRAY[0]);
    b double precision[] := array_fill(0::float8, ARRAY[size * size], ARRAY[0]);
    c double precision[] := array_fill(0::float8, ARRAY[size * size], ARRAY[0]);
    seed bigint := 2;
    total double precision;
BEGIN
    FOR i IN 0 .. size * size - 1 LOOP
        seed := (seed * 1664525 + 1013904223) & 4294967295;
        a[i] := (seed >> 8)::float8 / 16777216;
        seed := (seed * 1664525 + 1013904223) & 4294967295;
        b[i] := (seed >> 8)::float8 / 16777216;
    END LOOP;
    FOR repetition IN 0 .. repetitions - 1 LOOP
        FOR i IN 0 .. size - 1 LOOP
            FOR j IN 0 .. size - 1 LOOP
                total := 0;
                FOR k IN 0 .. size - 1 LOOP
                    total := total + a[i * size + k] * b[k * size + j];
                END LOOP;
                c[i * size + j] := total;
            END LOOP;
        END LOOP;
        a[repetition % size] := c[repetition % size] / size;
    END LOOP;
    total := 0;
    FOR i IN 0 .. size * size - 1 LOOP
        total := total + c[i];
    END LOOP;
    RETURN total;
END $$;

CREATE FUNCTION plpgsql_nbody(size integer, repetitions integer) RETURNS double precision
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    time_step constant double precision := 0.001;
    x double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    y double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    z double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    vx double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    vy double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    vz double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    mass double precision[] := array_fill(0::float8, ARRAY[size], ARRAY[0]);
    seed bigint := 3;
    random double precision[] := array_fill(0::float8, ARRAY[4]);
    dx double precision;
    dy double precision;
    dz double precision;
    square double precision;
    magnitude double precision;
    energy double precision := 0;
BEGIN
    FOR i IN 0 .. size - 1 LOOP
        FOR k IN 1 .. 4 LOOP
            seed := (seed * 1664525 + 1013904223) & 4294967295;
            random[k] := seed >> 8;
        END LOOP;
        x[i] := random[1] / 1048576 - 8;
        y[i] := random[2] / 1048576 - 8;
        z[i] := random[3] / 1048576 - 8;
        mass[i] := 1 + random[4] / 16777216;
    END LOOP;
    FOR repetition IN 1 .. repetitions LOOP
        FOR i IN 0 .. size - 1 LOOP
            FOR j IN i + 1 .. size - 1 LOOP
                dx := x[i] - x[j];
                dy := y[i] - y[j];
                dz := z[i] - z[j];
                square := dx * dx + dy * dy + dz * dz + 0.01::float8;
                magnitude := time_step / (square * sqrt(square));
                vx[i] := vx[i] - dx * mass[j] * magnitude;
                vy[i] := vy[i] - dy * mass[j] * magnitude;
                vz[i] := vz[i] - dz * mass[j] * magnitude;
                vx[j] := vx[j] + dx * mass[i] * magnitude;
                vy[j] := vy[j] + dy * mass[i] * magnitude;
                vz[j] := vz[j] + dz * mass[i] * magnitude;
            END LOOP;
        END LOOP;
        FOR i IN 0 .. size - 1 LOOP
            x[i] := x[i] + time_step * vx[i];
            y[i] := y[i] + time_step * vy[i];
            z[i] := z[i] + time_step * vz[i];
        END LOOP;
    END LOOP;
    FOR i IN 0 .. size - 1 LOOP
        energy := energy + 0.5::float8 * mass[i] * (vx[i] * vx[i] + vy[i] * vy[i] + vz[i] * vz[i]);
        FOR j IN i + 1 .. size - 1 LOOP
            dx := x[i] - x[j];
            dy := y[i] - y[j];
            dz := z[i] - z[j];
            energy := energy - mass[i] * mass[j] / sqrt(dx * dx + dy * dy + dz * dz + 0.01::float8);
        END LOOP;
    END LOOP;
    RETURN energy;
END $$;

CREATE FUNCTION plpgsql_edit_distance(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    l integer[] := array_fill(0, ARRAY[size], ARRAY[0]);
    r integer[] := array_fill(0, ARRAY[size], ARRAY[0]);
    distances integer[] := array_fill(0, ARRAY[size + 1], ARRAY[0]);
    seed bigint := 4;
    total bigint := 0;
    diagonal integer;
    above integer;
    least integer;
BEGIN
    FOR i IN 0 .. size - 1 LOOP
        seed := (seed * 1664525 + 1013904223) & 4294967295;
        l[i] := (seed >> 8) % 8;
        seed := (seed * 1664525 + 1013904223) & 4294967295;
        r[i] := (seed >> 8) % 8;
    END LOOP;
    FOR repetition IN 0 .. repetitions - 1 LOOP
        l[repetition % size] := repetition % 8;
        FOR j IN 0 .. size LOOP
            distances[j] := j;
        END LOOP;
        FOR i IN 0 .. size - 1 LOOP
            diagonal := distances[0];
            distances[0] := i + 1;
            FOR j IN 0 .. size - 1 LOOP
                above := distances[j + 1];
                least := distances[j] + 1;
                IF above + 1 < least THEN
                    least := above + 1;
                END IF;
                IF l[i] <> r[j] THEN
                    diagonal := diagonal + 1;
                END IF;
                IF diagonal < least THEN
                    least := diagonal;
                END IF;
                distances[j + 1] := least;
                diagonal := above;
            END LOOP;
        END LOOP;
        total := total + distances[size];
    END LOOP;
    RETURN total;
END $$;

-- PL/pgSQL passes arrays by value: parts that are yet to be sorted wait on a
-- stack, where C recurses.
CREATE FUNCTION plpgsql_quicksort(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    numbers integer[] := array_fill(0, ARRAY[size], ARRAY[0]);
    starts integer[] := array_fill(0, ARRAY[64]);
    ends integer[] := array_fill(0, ARRAY[64]);
    depth integer;
    seed bigint := 8;
    total bigint := 0;
    first integer;
    last integer;
    i integer;
    j integer;
    a integer;
    b integer;
    c integer;
    pivot integer;
BEGIN
    FOR repetition IN 1 .. repetitions LOOP
        FOR k IN 0 .. size - 1 LOOP
            seed := (seed * 1664525 + 1013904223) & 4294967295;
            numbers[k] := seed >> 8;
        END LOOP;
        depth := 1;
        starts[1] := 0;
        ends[1] := size - 1;
        WHILE depth > 0 LOOP
            first := starts[depth];
            last := ends[depth];
            depth := depth - 1;
            IF last - first < 12 THEN
                FOR k IN first + 1 .. last LOOP
                    a := numbers[k];
                    j := k;
                    WHILE j > first AND numbers[j - 1] > a LOOP
                        numbers[j] := numbers[j - 1];
                        j := j - 1;
                    END LOOP;
                    numbers[j] := a;
                END LOOP;
                CONTINUE;
            END IF;
            a := numbers[first];
            b := numbers[first + (last - first + 1) / 2];
            c := numbers[last];
            pivot := greatest(least(a, b), least(greatest(a, b), c));
            i := first;
            j := last;
            WHILE i <= j LOOP
                WHILE numbers[i] < pivot LOOP
                    i := i + 1;
                END LOOP;
                WHILE numbers[j] > pivot LOOP
                    j := j - 1;
                END LOOP;
                IF i <= j THEN
                    a := numbers[i];
                    numbers[i] := numbers[j];
                    numbers[j] := a;
                    i := i + 1;
                    j := j - 1;
                END IF;
            END LOOP;
            -- the larger part first: the stack stays low
            IF j - first > last - i THEN
                starts[depth + 1] := first;
                ends[depth + 1] := j;
                starts[depth + 2] := i;
                ends[depth + 2] := last;
            ELSE
                starts[depth + 1] := i;
                ends[depth + 1] := last;
                starts[depth + 2] := first;
                ends[depth + 2] := j;
            END IF;
            depth := depth + 2;
        END LOOP;
        FOR k IN 0 .. size - 1 BY 100 LOOP
            total := (total * 31 + numbers[k]) & 4294967295;
        END LOOP;
    END LOOP;
    RETURN total;
END $$;

CREATE FUNCTION plpgsql_mandelbrot(size integer, repetitions integer) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    cx double precision;
    cy double precision;
    x double precision;
    y double precision;
    next double precision;
    n integer;
    total bigint := 0;
BEGIN
    FOR repetition IN 0 .. repetitions - 1 LOOP
        FOR r IN 0 .. size - 1 LOOP
            FOR c IN 0 .. size - 1 LOOP
                cx := 3::float8 * c / size - 2;
                cy := 3::float8 * r / size - 1.5::float8 + repetition * 0.001::float8;
                x := 0;
                y := 0;
                n := 0;
                WHILE n < 50 AND x * x + y * y <= 4 LOOP
                    next := x * x - y * y + cx;
                    y := 2 * x * y + cy;
                    x := next;
                    n := n + 1;
                END LOOP;
                total := total + n;
            END LOOP;
        END LOOP;
    END LOOP;
    RETURN total;
END $$;
