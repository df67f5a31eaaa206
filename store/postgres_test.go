package store_test

import (
	"testing"

	"telgate/store/pgtest"
	"telgate/store/storetest"
)

func TestPostgreSQLKeepsPagesAsThePortsSay(t *testing.T) {
	server := pgtest.Start(t)
	storetest.Run(t, func(t *testing.T) (storetest.Side, storetest.Side) {
		t.Helper()
		url := server.Database(t)
		a, b := open(t, url), open(t, url)
		return storetest.Side{Pages: a, Gateways: a.Gateways()}, storetest.Side{Pages: b, Gateways: b.Gateways()}
	})
}
