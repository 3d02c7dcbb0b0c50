/*
 * The example of the README, in C.
 *
 * clang --target=wasm32 -O2 -nostdlib -Wl,--no-entry -o simple.wasm simple.c
 */
__attribute__((export_name("sum"))) int
sum(int a, int b)
{
	return (int) ((unsigned) a + (unsigned) b);
}
