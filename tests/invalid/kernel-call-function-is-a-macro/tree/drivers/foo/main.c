#define foo_init() do { } while (0)

void f(void)
{
	foo_init();
}
