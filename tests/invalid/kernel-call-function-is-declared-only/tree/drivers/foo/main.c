int foo_init(void);
