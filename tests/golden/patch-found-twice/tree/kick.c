int f(struct foo *foo, int n)
{
	int e;

	switch (n) {
	case 0:
		mutex_lock(&foo->lock);
		foo_kick(foo);
		mutex_unlock(&foo->lock);
		break;
	}
	switch (n + 1) {
	case 0:
		mutex_lock(&foo->lock);
		foo_kick(foo);
		mutex_unlock(&foo->lock);
		break;
	}
}
