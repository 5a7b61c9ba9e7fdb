package cli

import (
	"log/slog"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/go-logr/logr"

	"waybill/operator/internal/controller"
	"waybill/operator/internal/desired"
	"waybill/operator/internal/explorer"
)

// leaseName is KAOS's, so that an operator of theirs and one of ours never work at the same time.
const leaseName = "kaos-operator.kaos.tools"

// workers reconcile objects of one kind at the same time.
const workers = 4

func (p program) manager(args []string) int {
	var s settings
	if code, ok := p.parse(managerFlags(&s), args); !ok {
		return code
	}
	if err := s.readEnvironment(p.getenv); err != nil {
		return p.fail(err, exitUsage)
	}
	log := logr.FromSlogHandler(slog.NewJSONHandler(p.errors, nil))
	ctrl.SetLogger(log)
	klog.SetLogger(log)
	if err := p.manage(s); err != nil {
		log.Error(err, "The operator can't go on")
		return exitFailed
	}
	return 0
}

func (p program) manage(s settings) error {
	config, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// The API server's own fairness limits us; the client's limit would only slow the start.
	config.QPS = -1
	scheme, err := controller.Scheme()
	if err != nil {
		return err
	}
	manager, err := ctrl.NewManager(config, ctrl.Options{
		Scheme:                        scheme,
		Cache:                         cacheOptions(),
		Controller:                    ctrlconfig.Controller{MaxConcurrentReconciles: workers},
		Metrics:                       server.Options{BindAddress: s.metrics},
		HealthProbeBindAddress:        s.probes,
		LeaderElection:                s.leaderElect,
		LeaderElectionID:              leaseName,
		LeaderElectionNamespace:       s.namespace,
		LeaderElectionReleaseOnCancel: true,
	})
	if err != nil {
		return err
	}
	if err := controller.Setup(manager, s.defaults, s.namespace); err != nil {
		return err
	}
	if err := manager.AddHealthzCheck("ping", healthz.Ping); err != nil {
		return err
	}
	if err := manager.AddReadyzCheck("kinds", knowsKinds(manager)); err != nil {
		return err
	}
	if s.explorer != "0" {
		if err := manager.Add(explorer.Server{Address: s.explorer, Files: s.ui, Log: manager.GetLogger()}); err != nil {
			return err
		}
	}
	return manager.Start(p.stopping)
}

// cacheOptions: of Deployments, Services and ConfigMaps only our own are held, and without what nobody reads of them.
func cacheOptions() cache.Options {
	ours := cache.ByObject{Label: labels.SelectorFromSet(labels.Set{desired.ManagedByLabel: desired.ManagedBy})}
	return cache.Options{
		DefaultTransform: cache.TransformStripManagedFields(),
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.Deployment{}: ours, &corev1.Service{}: ours, &corev1.ConfigMap{}: ours,
		},
	}
}

func sorted(names []string) string {
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}
