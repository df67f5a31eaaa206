package pager_test

import (
	"testing"
	"time"

	"telgate"
)

func TestOneCallFindsOutWhetherATrunkWorksAgainAfterItsRest(t *testing.T) {
	in(t, func(t *testing.T) {
		d := open(t, []answer{fails(telgate.DetailStatus), rings()}, rounds(1))
		d.submit(request("alice")) // over backup, in the end
		d.at(6 * time.Second)      // main has rested
		d.ringing(request("bob"))
		d.ringing(request("carol"))
		d.rang("0s alice +1…01 main", "0s alice +1…01 backup", "6s bob +1…02 main", "6s carol +1…03 backup")
	})
}
